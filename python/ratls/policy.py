# SPDX-License-Identifier: Apache-2.0
"""What is accepted (docs/policy.md)."""

import ctypes
import os
from typing import Optional, Union

from ratls import _library as c
from ratls.errors import usage

Path = Union[str, "os.PathLike[str]"]


class Policy:
    """What a client accepts. Immutable; may be shared by threads and clients.

    Raises UsageError for a policy that cannot be read, or that names nothing.
    """

    def __init__(self, handle: c.Handle):
        self._handle = handle

    @property
    def handle(self) -> c.Handle:
        """For the other modules of this package."""
        return self._handle

    @classmethod
    def load(cls, path: Path) -> "Policy":
        """Reads a policy file; relative paths in it count from its folder."""
        return cls(c.make("policy", "policy_load", c.c_path(path, "policy")))

    @classmethod
    def parse(cls, toml: str, base_dir: Path = ".") -> "Policy":
        """Reads the text of a policy file; relative paths in it count from base_dir."""
        encoded = toml.encode("utf-8")
        return cls(c.make("policy", "policy_parse", encoded, len(encoded),
                          c.c_path(base_dir, "base_dir")))

    @classmethod
    def of_identity(cls, *, mr_enclave: Optional[str] = None, mr_signer: Optional[str] = None,
                    isv_prod_id: Optional[int] = None, min_isv_svn: Optional[int] = None,
                    base: Optional[Path] = None, accept_debug: bool = False,
                    accept_out_of_date: bool = False, accept_configuration_needed: bool = False,
                    accept_sw_hardening_needed: bool = False) -> "Policy":
        """Accepts one enclave: mr_enclave, or mr_signer with isv_prod_id and min_isv_svn.

        base is a policy file without identities, which says all the rest (root, collateral,
        lifetimes); without one Intel's root and the defaults hold.
        """
        identity = c.IdentityStruct(ctypes.sizeof(c.IdentityStruct),
                                    c.c_text(mr_enclave, "mr_enclave"),
                                    c.c_text(mr_signer, "mr_signer"),
                                    _number(isv_prod_id, "isv_prod_id"),
                                    _number(min_isv_svn, "min_isv_svn"))
        flags = (accept_debug, accept_out_of_date, accept_configuration_needed,
                 accept_sw_hardening_needed)
        accept = sum(1 << bit for bit, flag in enumerate(flags) if flag)
        return cls(c.make("policy", "policy_from_identities", c.c_path(base, "base"),
                          ctypes.byref(identity), 1, accept))


def _number(value: Optional[int], what: str) -> int:
    if value is None:
        return -1
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65535:
        raise usage(f"a number from 0 to 65535 is needed, got {value!r}", what)
    return value


def choose_policy(policy: Union[None, Policy, Path], **identity) -> Policy:
    """The policy of a client's arguments: either a policy or an identity, never both."""
    named = sorted(name for name, value in identity.items() if value is not None)
    if policy is None:
        return Policy.of_identity(**identity)
    if named:
        raise usage(f"a policy and {named[0]}: one of them says what is accepted", "policy")
    return policy if isinstance(policy, Policy) else Policy.load(policy)
