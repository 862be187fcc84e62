# SPDX-License-Identifier: Apache-2.0
"""What `ratls completion` prints is what the commands are."""

import shlex

import pytest

from conftest import run


@pytest.fixture(scope="module")
def bash(ratls, tmp_path_factory):
    """The completion of bash, as a file."""
    ended = run(ratls, "completion", "bash")
    assert (ended.code, ended.err) == (0, ""), ended
    file = tmp_path_factory.mktemp("completion") / "ratls"
    file.write_text(ended.out)
    return file


def offered(bash, *words):
    """What bash offers for the last of the words."""
    line = " ".join(shlex.quote(word) for word in ("ratls", *words))
    ended = run("bash", "-euc", f"source {bash}; COMP_WORDS=({line}); COMP_CWORD={len(words)}; "
                                "_ratls; printf '%s\\n' \"${COMPREPLY[@]}\"")
    assert (ended.code, ended.err) == (0, ""), ended
    return ended.out.split()


def test_bash_offers_commands_and_options(bash):
    assert {"serve", "get", "post", "sim", "policy"} <= set(offered(bash, ""))
    assert "completion" not in offered(bash, "")
    assert offered(bash, "serv") == ["serve"]
    assert offered(bash, "sim", "m") == ["mount"]
    assert offered(bash, "sim", "init", "--isv") == ["--isv-svn"]
    assert offered(bash, "get", "--mr-") == ["--mr-enclave", "--mr-signer"]
    assert offered(bash, "get", "--policy", "file", "https://host", "--mr-e") == ["--mr-enclave"]
    assert offered(bash, "policy", "from-") == ["from-sigstruct", "from-url"]


def test_bash_leaves_a_command_of_others_alone(bash):
    assert offered(bash, "run", "--", "nginx", "--") == []


@pytest.mark.parametrize("kind", ["zsh", "fish", "man"])
def test_each_command_is_in_the_others(ratls, kind):
    ended = run(ratls, "completion", kind)
    assert (ended.code, ended.err) == (0, ""), ended
    text = ended.out.replace("\\-", "-")
    for word in ("serve", "from-sigstruct", "mr-enclave", "isv-svn", "upstream", "mount"):
        assert word in text, word


def test_the_other_program_has_a_page_with_its_commands_only(ratls):
    ended = run(ratls, "completion", "server-man")
    assert (ended.code, ended.err) == (0, ""), ended
    lines = ended.out.replace("\\-", "-").splitlines()
    assert lines[0] == ".TH ratls-server 1"
    assert [line for line in lines if line.startswith(".SS")] == \
        [".SS ratls-server serve", ".SS ratls-server run"]
    assert ".B --version" in lines and any("--staple" in line for line in lines)


def test_another_kind_is_a_mistake(ratls):
    assert run(ratls, "completion", "csh").code == 2
    assert run(ratls, "completion").code == 2
    assert "completion" not in run(ratls, "--help").out
