# SPDX-License-Identifier: Apache-2.0
"""tools/check_deploy.py lets what is below deploy/ pass and complains of each defect put into it; and
tools/image_size and deploy/docker/snapshot do what they say."""

import copy
import json
import os
import shutil
import sys

import pytest

from conftest import SOURCE, run

sys.path.insert(0, str(SOURCE / "tools"))

import check_deploy  # noqa: E402
import kubernetes_objects  # noqa: E402
import yaml  # noqa: E402

PLAIN = SOURCE / "deploy/kubernetes"
DOCKERFILE = (SOURCE / "deploy/docker/fastapi.Dockerfile").read_text()


def test_the_repository_passes():
    ended = run("/usr/bin/python3", SOURCE / "tools/check_deploy.py")
    assert (ended.code, ended.out) == (0, ""), ended
    if not shutil.which("go"):
        assert "SKIPPED" in ended.err


@pytest.mark.skipif(not shutil.which("go"), reason="golang-go is not installed")
@pytest.mark.parametrize("choice, kind, path, value", [
    ([], "Deployment", ("spec", "replicas"), 3),
    (["replicas=5", "minAvailable=4"], "PodDisruptionBudget", ("spec", "minAvailable"), 4),
    (["autoscaling.enabled=true"], "Deployment", ("spec", "replicas"), None),
    (["metrics.enabled=true", "metrics.interval=5s"], "ServiceMonitor", ("spec", "endpoints"),
     [{"port": "metrics", "path": "/metrics", "interval": "5s"}]),
])
def test_the_chart_renders_what_is_asked_for(choice, kind, path, value):
    items, error = check_deploy.rendered(choice)
    assert error == ""
    place = {item["kind"]: item for item in items}[kind]
    for key in path:
        place = place.get(key)
    assert place == value


@pytest.mark.skipif(not shutil.which("go"), reason="golang-go is not installed")
@pytest.mark.parametrize("choice", [["image.digest=''"], ["minAvailable=3"]])
def test_the_chart_refuses(choice):
    items, error = check_deploy.rendered(choice)
    assert items == [] and error != ""


@pytest.fixture
def objects():
    """The objects of deploy/kubernetes by kind."""
    items = [yaml.safe_load(path.read_text()) for path in sorted(PLAIN.glob("*.yaml"))]
    assert len(items) == 5
    return {item["kind"]: item for item in items}


def changed(objects, kind, path, value):
    """The first words of the complaints after setting one value; None takes it away."""
    objects = copy.deepcopy(objects)
    place = objects[kind]
    for key in path[:-1]:
        place = place[key]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return [line.partition(":")[0]
            for line in kubernetes_objects.problems_of(list(objects.values()))]


POD = ("spec", "template", "spec")
ENCLAVE = (*POD, "containers", 0)


@pytest.mark.parametrize("kind, path, value, complaint", [
    ("Deployment", ("spec", "replica"), 3, "Deployment.spec.replica"),
    ("Deployment", ("apiVersion",), "apps/v2", "Deployment"),
    ("Service", ("metadata", "name"), "Under_score", "Service"),
    ("Deployment", ("spec", "strategy", "rollingUpdate", "maxUnavailable"), 1, "Deployment"),
    ("Deployment", ("spec", "selector", "matchLabels"), {"a": "b"}, "Deployment"),
    ("Deployment", (*POD, "automountServiceAccountToken"), True, "Deployment"),
    ("Deployment", (*POD, "hostNetwork"), True, "Deployment.spec.template.spec.hostNetwork"),
    ("Deployment", (*POD, "volumes", 0, "hostPath", "path"), "/var/run/aesmd/aesm.socket",
     "volume aesmd"),
    ("Deployment", (*POD, "volumes", 0, "name"), "aesm", "container enclave"),
    ("Deployment", (*POD, "terminationGracePeriodSeconds"), 5, "container enclave"),
    ("Deployment", (*ENCLAVE, "image"), "gsc-hello:latest", "container enclave"),
    ("Deployment", (*ENCLAVE, "startupProbe"), None, "container enclave"),
    ("Deployment", (*ENCLAVE, "readinessProbe"), None, "container enclave"),
    ("Deployment", (*ENCLAVE, "livenessProbe"), None, "container enclave"),
    ("Deployment", (*ENCLAVE, "lifecycle"), None, "container enclave"),
    ("Deployment", (*ENCLAVE, "resources", "limits", "memory"), None, "container enclave"),
    ("Deployment", (*ENCLAVE, "resources", "limits", "sgx.intel.com/provision"), None,
     "container enclave"),
    ("Deployment", (*ENCLAVE, "resources", "limits", "sgx.intel.com/epc"), None,
     "container enclave"),
    ("Deployment", (*ENCLAVE, "securityContext", "capabilities", "drop"), [], "container enclave"),
    ("Deployment", (*ENCLAVE, "securityContext", "privileged"), True,
     "Deployment.spec.template.spec.containers.securityContext.privileged"),
    ("Service", ("spec", "selector"), {"app.kubernetes.io/name": "other"}, "Service"),
    ("Service", ("spec", "ports", 0, "targetPort"), "http", "Service"),
    ("NetworkPolicy", ("spec", "podSelector", "matchLabels"), {}, "NetworkPolicy"),
    ("NetworkPolicy", ("spec", "ingress", 0, "ports", 0, "port"), "http", "NetworkPolicy"),
    ("PodDisruptionBudget", ("spec", "minAvailable"), 3, "PodDisruptionBudget"),
    ("PodDisruptionBudget", ("spec", "selector", "matchLabels"), {"a": "b"},
     "PodDisruptionBudget"),
    ("HorizontalPodAutoscaler", ("spec", "scaleTargetRef", "name"), "other",
     "HorizontalPodAutoscaler"),
])
def test_a_defect_of_an_object_is_named(objects, kind, path, value, complaint):
    assert list(kubernetes_objects.problems_of(list(objects.values()))) == []
    assert changed(objects, kind, path, value) == [complaint]


@pytest.mark.parametrize("old, new", [
    ("# SPDX", "# syntax=docker/dockerfile:1\n# SPDX"),
    ("EXPOSE 8000", "RUN <<EOF\ntrue\nEOF"),
    ("EXPOSE 8000", "ADD a.tar /a"),
    ("FROM ${BASE}\n", "FROM debian\n"),
    ("FROM ${BASE}\n", "FROM debian:latest\n"),
    ("EXPOSE 8000", "ENV API_TOKEN=1"),
    ("EXPOSE 8000", "ARG SIGNING_KEY"),
    ('ENTRYPOINT ["/usr/local/bin/ratls-server"]', "ENTRYPOINT /usr/local/bin/ratls-server"),
    ("--no-install-recommends ", ""),
    ('/tmp/snapshot "${SNAPSHOT_MIRROR}" "${SNAPSHOT}" \\\n && ', ""),
])
def test_a_defect_of_a_dockerfile_is_named(old, new):
    assert list(check_deploy.dockerfile_problems(DOCKERFILE)) == []
    text = DOCKERFILE.replace(old, new)
    if "COPY deploy/docker/snapshot" in text and "RUN apt-get" in text:
        text = text.replace("COPY deploy/docker/snapshot /tmp/snapshot\n", "")
    assert text != DOCKERFILE
    assert len(list(check_deploy.dockerfile_problems(text))) == 1


@pytest.mark.parametrize("name", ["compose.yaml", "compose.sim.yaml"])
@pytest.mark.parametrize("service, key, value", [
    ("replica1", "privileged", True),
    ("replica2", "network_mode", "host"),
    ("replica3", "cap_drop", []),
    ("replica3", "security_opt", []),
    ("haproxy", "volumes", ["/var/run/docker.sock:/var/run/docker.sock"]),
    ("replica1", "image", ""),
    ("haproxy", "environment", {"REPLICA_1": "replica1:8000", "REPLICA_2": "replica2:8000",
                                "REPLICA_3": "replica4:8000"}),
])
def test_a_defect_of_a_compose_file_is_named(name, service, key, value):
    document = yaml.safe_load((SOURCE / "deploy/compose" / name).read_text())
    assert list(check_deploy.compose_problems(document)) == []
    document["services"][service] = dict(document["services"][service], **{key: value})
    assert len(list(check_deploy.compose_problems(document))) == 1


def test_an_enclave_needs_its_devices():
    document = yaml.safe_load((SOURCE / "deploy/compose/compose.yaml").read_text())
    document["services"]["replica1"]["devices"] = ["/dev/sgx_enclave"]
    assert len(list(check_deploy.compose_problems(document))) == 1


@pytest.mark.parametrize("old, new", [
    ('"retry_times": 6,', '"retry_times": 6'),
    ('"pccs_url"', '"PCCS_URL"'),
    ("6", '"6"'),
    ('"use_secure_cert": true', '"use_secure_cert": false'),
    ("https://pccs", "http://pccs"),
    ("/sgx/certification/v4/", "/"),
    ("/sgx/certification/v4/", "/sgx/certification/v4"),
])
def test_a_defect_of_a_qcnl_file_is_named(old, new):
    text = (SOURCE / "deploy/qcnl/pccs.conf").read_text()
    assert old in text and list(check_deploy.qcnl_problems(text)) == []
    assert len(list(check_deploy.qcnl_problems(text.replace(old, new, 1)))) == 1


def test_the_values_of_the_chart_agree_with_its_templates():
    folder = SOURCE / check_deploy.CHART
    values = yaml.safe_load((folder / "values.yaml").read_text())
    schema = json.loads((folder / "values.schema.json").read_text())
    templates = {path.name: path.read_text() for path in (folder / "templates").iterdir()}

    def complaints(values, templates):
        return len(list(check_deploy.chart_problems(values, schema, templates)))

    assert complaints(values, templates) == 0
    assert complaints(values, templates | {"x": "{{ .Values.aesm.moun }}"}) == 1
    assert complaints(values, templates | {"x": "{{ if .Values.port }}"}) == 1
    assert complaints(values | {"colour": "blue"}, templates) == 2  # not used, not in the schema
    del values["drain"]["seconds"]
    assert complaints(values, templates) == 2  # missing, in the schema only


IMAGE_SIZE = SOURCE / "tools/image_size"


def test_counts_the_files_of_an_image(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/libx.so.1").write_bytes(b"12345")
    (tmp_path / "lib/libx.so").symlink_to("libx.so.1")
    (tmp_path / "data").write_bytes(b"123")
    ended = run(IMAGE_SIZE, tmp_path)
    assert (ended.code, ended.out) == (0, "8 bytes, 2 files, 1 shared libraries\n"), ended


def test_counts_what_a_program_loads(ratls, tmp_path):
    listed = run(IMAGE_SIZE, "--list", "/bin/cat").out.split()
    assert "/bin/cat" in listed and any("/libc.so." in name for name in listed)
    assert any("/ld-linux" in name for name in listed)
    ended = run(IMAGE_SIZE, "--copy", tmp_path, "/bin/cat")
    assert ended.code == 0, ended
    copied = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert sorted(f"/{path.relative_to(tmp_path)}" for path in copied) == listed
    assert run(IMAGE_SIZE, tmp_path).out == run(IMAGE_SIZE, "/bin/cat").out
    # All that it needs is there.
    loader = next(name for name in listed if "/ld-linux" in name)
    folders = ":".join({str((tmp_path / name.lstrip("/")).parent) for name in listed if ".so" in name})
    ended = run(tmp_path / loader.lstrip("/"), "--library-path", folders, tmp_path / "bin/cat",
                stdin=b"x", env={})
    assert (ended.code, ended.out) == (0, "x"), ended


@pytest.mark.parametrize("arguments, code", [
    ([], 2), (["--list"], 2), (["--copy", "/tmp"], 2), (["--other"], 2), (["/", "/"], 2),
    (["/bin/no-such-program"], 1)])
def test_says_what_is_wrong_with_its_arguments(arguments, code):
    ended = run(IMAGE_SIZE, *arguments)
    assert (ended.code, ended.out) == (code, ""), ended
    assert ended.err


@pytest.mark.parametrize("arguments, code", [
    (["http://mirror.example", "20260301T000000Z"], 0), (["", ""], 0),
    (["http://mirror.example", ""], 2), (["", "20260301T000000Z"], 2),
    (["http://mirror.example", "2026-03-01"], 2)])
def test_packages_of_one_day(arguments, code, tmp_path):
    (tmp_path / "etc/apt/sources.list.d").mkdir(parents=True)
    today = tmp_path / "etc/apt/sources.list.d/debian.sources"
    today.write_text("Types: deb\n")
    ended = run(SOURCE / "deploy/docker/snapshot", *arguments,
                env=dict(os.environ, RATLS_SNAPSHOT_ROOT=str(tmp_path)))
    assert ended.code == code, ended
    pinned = tmp_path / "etc/apt/sources.list"
    if code == 0 and arguments[0]:
        assert not today.exists()
        lines = pinned.read_text().splitlines()
        assert len(lines) == 3 and all("/20260301T000000Z bookworm" in line for line in lines)
    else:
        assert today.exists() and not pinned.exists() and ended.err
