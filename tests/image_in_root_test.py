# SPDX-License-Identifier: Apache-2.0
"""tools/image_in_root takes a Dockerfile's steps in folders, starts the ENTRYPOINT there, and refuses what
it does not know. The base is a shell with what it links; chroot needs root."""

import os

import pytest

from conftest import SOURCE, run

TOOL = SOURCE / "tools/image_in_root"
DOCKERFILE = r"""
ARG BASE=base
FROM ${BASE} AS build
ARG NUMBER=1
ENV TEXT="two words"
COPY tools/setup deploy-setup
COPY deploy/systemd /units
WORKDIR /service
# Between the lines of a step too.
RUN for word in a b; do \
# like this one
      echo "$word $NUMBER $TEXT $PWD" || exit 1; \
    done > /found
FROM scratch
COPY --from=build / /
ENV NAME=inside
WORKDIR /service
USER 65532:65532
ENTRYPOINT ["/bin/sh"]
CMD ["-c", "echo $NAME $PWD $0 && read -r line </found && echo $line && echo x >/service/x"]
"""


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    if os.geteuid() != 0:
        pytest.skip("chroot needs root")
    folder = tmp_path_factory.mktemp("base")
    copied = run(SOURCE / "tools/image_size", "--copy", folder, "/bin/sh", "/usr/bin/env")
    assert copied.code == 0, copied
    folder.chmod(0o755)
    return folder


@pytest.fixture
def build(tmp_path, base):
    def builder(text, *options):
        (tmp_path / "Dockerfile").write_text(text)
        return run(TOOL, "build", tmp_path / "Dockerfile", tmp_path / "root",
                   "--image", f"base={base}", *options)
    return builder


def test_takes_the_steps_and_starts_the_entrypoint(build, tmp_path):
    ended = build(DOCKERFILE, "--build-arg", "NUMBER=7")
    assert ended.code == 0, ended
    root = tmp_path / "root"
    assert (root / "found").read_text() == "a 7 two words /service\nb 7 two words /service\n"
    assert (root / "deploy-setup").read_bytes() == (SOURCE / "tools/setup").read_bytes()
    assert (root / "units/ratls.service").exists()
    started = run(TOOL, "run", tmp_path / "Dockerfile", root)
    # As USER it cannot write where root could.
    assert started.out == "inside /service /bin/sh\na 7 two words /service\n" and started.code == 2, started


def test_a_stage_that_is_given_is_not_built(build, base, tmp_path):
    (base / "given").touch()
    ended = build(DOCKERFILE, "--image", f"build={base}")
    assert ended.code == 0, ended
    assert (tmp_path / "root/given").exists() and not (tmp_path / "root/found").exists()


def test_builds_no_further_than_the_target(build, tmp_path):
    ended = build(DOCKERFILE, "--target", "build")
    assert ended.code == 0 and "FROM scratch" not in ended.out, ended
    assert (tmp_path / "root/found").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Dockerfile", "root"]


@pytest.mark.parametrize("text, said", [
    ("FROM base\nRUN false\n", "failed: "),
    ("FROM base\nHEALTHCHECK NONE\n", "not understood: HEALTHCHECK NONE"),
    ('FROM base\nRUN ["/bin/sh"]\n', "not understood: RUN"),
    ("FROM base\nRUN --network=none true\n", "not understood: RUN"),
    ("FROM base\nUSER 1:1\nRUN true\n", "not understood: RUN"),
    ("FROM base AS first\nENV A=b\nFROM first\n", "FROM first: say where"),
    ("FROM base\nCOPY --chown=1 tools /tools\n", "not understood: COPY"),
    ("FROM base\nCOPY --from=nowhere /a /b\n", "not understood: COPY"),
    ("FROM base\nCOPY no-such-file /b\n", "there is no "),
    ("FROM base\nCOPY ../../etc/passwd /b\n", "leads out of "),
    ("FROM base\nCOPY tools /../../tools\n", "leads out of "),
    ("FROM base\nWORKDIR here\n", "not understood: WORKDIR"),
    ("FROM debian:12\nRUN true\n", "FROM debian:12: say where"),
    ("RUN true\nFROM base\n", "before FROM: RUN true"),
    ("", "there is no stage"),
])
def test_refuses_what_it_does_not_do(build, tmp_path, text, said):
    ended = build(text)
    assert ended.code == 1 and said in ended.err, ended
    assert not (tmp_path / "root").exists()


def test_nothing_is_overwritten(build, tmp_path):
    (tmp_path / "root").mkdir()
    assert build("FROM base\n").err.endswith("is there already\n")


def test_an_image_without_entrypoint_does_not_start(tmp_path, base):
    (tmp_path / "Dockerfile").write_text("FROM base\nENTRYPOINT /bin/sh\n")
    ended = run(TOOL, "run", tmp_path / "Dockerfile", base)
    assert ended.code == 1 and "no ENTRYPOINT" in ended.err, ended
    (tmp_path / "Dockerfile").write_text('FROM base\nENTRYPOINT ["/bin/none"]\nCMD ["x"]\n')
    ended = run(TOOL, "run", tmp_path / "Dockerfile", base)
    assert ended.code == 1 and ended.err.startswith("tools/image_in_root: /bin/none: "), ended
