#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what is below deploy/ besides the manifests: Dockerfiles, compose files, configurations of
Intel's QPL, Kubernetes objects and the Helm chart, which is rendered by tools/render_chart (golang-go)
with some values, these checked against its schema.

usage: tools/check_deploy.py
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from dockerfile import instructions, words
from kubernetes_objects import problems_of
from tracked_files import ROOT, read_text, report, tracked_files

try:
    import jsonschema
    import yaml
except ImportError as missing:
    raise SystemExit(f"{missing.name} is missing; tools/setup test installs it") from missing

CHART = pathlib.PurePosixPath("deploy/helm/ratls")
SECRET = re.compile(r"(?i)(^|_)(key|password|passphrase|secret|token)($|_|=)")
# The keys of sgx_default_qcnl.conf, and their types. A key that is spelled otherwise is ignored.
QCNL = {
    "pccs_url": str, "use_secure_cert": bool, "collateral_service": str, "tcb_update_type": str,
    "pccs_api_version": str, "retry_times": int, "retry_delay": int, "local_pck_url": str,
    "pck_cache_expire_hours": int, "verify_collateral_cache_expire_hours": int,
    "local_cache_only": bool, "custom_request_options": dict,
}
# Values that the chart is rendered with.
CHOICES = ([], ["metrics.enabled=true", "autoscaling.enabled=true"],
           ["aesm.mount=webhook", "networkPolicy.enabled=false"])


def dockerfile_problems(text):
    """What is against our rules, or would not be built by an engine without BuildKit."""
    if re.search(r"^#\s*syntax\s*=", text, re.MULTILINE | re.IGNORECASE):
        yield "no syntax line: it needs BuildKit and fetches a program"
    stages, copied = set(), False
    for line, name, arguments in instructions(text):
        if re.search(r"<<-?['\"]?\w", arguments):
            yield f"line {line}: no here-documents: they need BuildKit"
        if name == "ADD":
            yield f"line {line}: COPY does what is meant; ADD fetches and unpacks"
        if name == "FROM":
            image, _, stage = arguments.partition(" AS ")
            if image.endswith(":latest") or (":" not in image and "@" not in image and
                                             image not in stages and image != "scratch" and
                                             not image.startswith("$")):
                yield f"line {line}: say which version of {image}"
            stages.add(stage.strip())
        if name in ("ENTRYPOINT", "CMD") and words(arguments) is None:
            yield f"line {line}: write {name} as a list: there may be no shell"
        if name in ("ARG", "ENV") and SECRET.search(arguments.partition("=")[0]):
            yield f"line {line}: {name} stays in the image's history; no secrets"
        if name == "RUN" and "install" in arguments and "apt-get" in arguments:
            if "tools/setup" not in arguments and "/tmp/setup" not in arguments and \
                    "--no-install-recommends" not in arguments:
                yield f"line {line}: install without recommended packages: each file is trusted"
            if not copied:
                yield f"line {line}: take packages of one day: deploy/docker/snapshot first"
        copied = copied or "snapshot" in arguments
    if not stages:
        yield "has no FROM"


def qcnl_problems(text):
    """What Intel's QPL would ignore, or would ignore the whole file for."""
    try:
        values = json.loads(re.sub(r"^\s*//.*$", "", text, flags=re.MULTILINE))
    except ValueError as error:
        yield f"is no JSON, so that all of it would be ignored: {error}"
        return
    for key, value in values.items():
        if key not in QCNL or type(value) is not QCNL[key]:
            yield f"{key}: there is no such key, or its type is wrong"
        if key in ("pccs_url", "collateral_service", "local_pck_url"):
            if not re.fullmatch(r"https?://[^/]+(/[^/]+)*/sgx/certification/v[34]/", str(value)):
                yield f"{key}: has to end in /sgx/certification/v4/"
            elif str(value).startswith("http://") and "//169.254.169.254/" not in value:
                yield f"{key}: https, but for an address on the machine itself"
    if values.get("use_secure_cert") is False:
        yield "use_secure_cert: has to be true"


def compose_problems(document):
    """What a service of a compose file must and must not have."""
    services = document.get("services") or {}
    if "haproxy" not in services or len(services) < 4:
        yield "services: haproxy and three replicas"
    for name, service in services.items():
        if service.get("privileged") or service.get("network_mode") == "host":
            yield f"{name}: neither privileged nor in the host's network"
        if service.get("cap_drop") != ["ALL"] or \
                "no-new-privileges:true" not in service.get("security_opt", []):
            yield f"{name}: drop all capabilities and new privileges"
        if not service.get("image"):
            yield f"{name}: has no image"
        for volume in service.get("volumes", []):
            if "docker.sock" in volume or "aesm.socket" in volume:
                yield f"{name}: {volume}: no sockets; AESM by its folder"
        if "/var/run/aesmd:/var/run/aesmd" in service.get("volumes", []) and \
                service.get("devices") != ["/dev/sgx_enclave", "/dev/sgx_provision"]:
            yield f"{name}: an enclave needs both devices of the driver"
    variables = (services.get("haproxy") or {}).get("environment") or {}
    for variable in ("REPLICA_1", "REPLICA_2", "REPLICA_3"):
        if str(variables.get(variable)).partition(":")[0] not in services:
            yield f"haproxy: {variable} names no service"


def flat(values, prefix=""):
    """Dotted names of all values; what has no names inside counts as a value."""
    for name, value in values.items():
        if isinstance(value, dict) and value and not any("." in inner for inner in value):
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def declared(schema, prefix=""):
    """Dotted names of all properties in the chart's schema."""
    for name, property_ in schema.get("properties", {}).items():
        if "properties" in property_:
            yield from declared(property_, f"{prefix}{name}.")
        else:
            yield prefix + name


def chart_problems(values, schema, templates):
    """Values that are used and not there, there and not used, or not in the schema."""
    there = set(flat(values))
    used = set(re.findall(r"\.Values\.([A-Za-z][\w.]*)", "\n".join(templates.values())))
    yield from (f"values.yaml: {name} is used, and missing" for name in sorted(used - there))
    yield from (f"values.yaml: {name} is used by no template" for name in sorted(there - used))
    known = set(declared(schema)) - {"global"}
    yield from (f"values.schema.json: {name} is in one of values and schema only"
                for name in sorted(there ^ known))
    for name, text in templates.items():
        opened = len(re.findall(r"\{\{-?\s*(?:if|with|range|define)\b", text))
        closed = len(re.findall(r"\{\{-?\s*end\b", text))
        if opened != closed or text.count("{{") != text.count("}}"):
            yield f"{name}: blocks that are not closed"


def values_of(choice):
    """The chart's values with some set, as `helm --set` does it."""
    values = yaml.safe_load(read_text(ROOT / CHART / "values.yaml"))
    for setting in ["image.repository=example/x", "image.digest=sha256:" + "0" * 64, *choice]:
        name, _, text = setting.partition("=")
        *tables, last = name.split(".")
        table = values
        for key in tables:
            table = table[key]
        table[last] = yaml.safe_load(text)
    return values


def rendered(choice):
    """(objects, error text) of the chart, rendered with some values by tools/render_chart."""
    data = {"Values": values_of(choice), "Release": {"Name": "ratls", "Service": "Helm"},
            "Chart": {key.capitalize(): value for key, value in
                      yaml.safe_load(read_text(ROOT / CHART / "Chart.yaml")).items()}}
    ended = subprocess.run(["go", "run", "main.go", str(ROOT / CHART / "templates")],
                           cwd=ROOT / "tools/render_chart", input=json.dumps(data),
                           env={"GOCACHE": str(ROOT / "build/go"), "GO111MODULE": "off",
                                "GOTOOLCHAIN": "local", "PATH": os.environ["PATH"]},
                           capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        return [], ended.stderr.strip()
    return [item for item in yaml.safe_load_all(ended.stdout) if item], ""


def rendering_problems(schema):
    for choice in CHOICES:
        what = f"{CHART} with {' '.join(choice) or 'its own values'}"
        for error in jsonschema.Draft7Validator(schema).iter_errors(values_of(choice)):
            yield f"{what}: {error.json_path}: {error.message}"
        items, error = rendered(choice)
        if error:
            yield f"{what}: {error}"
        yield from (f"{what}: {problem}" for problem in problems_of(items))


def check_yaml(paths):
    """The problems of compose files and of Kubernetes objects, which are one application."""
    objects = []
    for path in paths:
        try:
            documents = [item for item in yaml.safe_load_all(read_text(ROOT / path)) if item]
        except yaml.YAMLError as error:
            yield f"{path}: is no YAML: {error}"
            continue
        if path.parts[1] == "compose":
            yield from (f"{path}: {problem}" for document in documents
                        for problem in compose_problems(document))
        elif path.parts[1] == "kubernetes":
            objects += documents
    yield from (f"deploy/kubernetes: {problem}" for problem in problems_of(objects))


def check_chart(paths):
    folder = ROOT / CHART
    values = yaml.safe_load(read_text(folder / "values.yaml"))
    schema = json.loads(read_text(folder / "values.schema.json"))
    templates = {path.name: read_text(ROOT / path) for path in paths if path.parent.name == "templates"}
    yield from (f"{CHART}: {problem}" for problem in chart_problems(values, schema, templates))
    if shutil.which("go"):
        yield from rendering_problems(schema)
    else:
        print(f"check_deploy: SKIPPED rendering {CHART}: golang-go is not installed", file=sys.stderr)


def main():
    paths = [path for path in tracked_files(ROOT) if path.parts[0] == "deploy"]
    problems = []
    for path in paths:
        if path.name.endswith("Dockerfile"):
            problems += [f"{path}: {problem}"
                         for problem in dockerfile_problems(read_text(ROOT / path))]
        if path.parts[1] == "qcnl":
            problems += [f"{path}: {problem}" for problem in qcnl_problems(read_text(ROOT / path))]
    chart = [path for path in paths if path.is_relative_to(CHART)]
    plain = [path for path in paths if path.suffix == ".yaml" and path not in chart]
    problems += [*check_yaml(plain), *check_chart(chart)]
    return report("check_deploy", problems)


if __name__ == "__main__":
    sys.exit(main())
