# SPDX-License-Identifier: Apache-2.0
"""What is checked of Kubernetes objects without a cluster: the keys of the kinds that we use, what
has to agree between objects, and what an enclave needs."""

import re

# Keys below an object, nested; None: anything is allowed there.
_METADATA = {"name": None, "namespace": None, "labels": None, "annotations": None}
_SELECTOR = {"matchLabels": None, "matchExpressions": None}
_PROBE = {"tcpSocket": {"port": None}, "periodSeconds": None, "failureThreshold": None,
          "timeoutSeconds": None, "initialDelaySeconds": None}
_CONTAINER = {
    "name": None, "image": None, "args": None, "command": None, "env": None,
    "imagePullPolicy": None, "ports": [{"name": None, "containerPort": None, "protocol": None}],
    "resources": {"requests": None, "limits": None},
    "startupProbe": _PROBE, "readinessProbe": _PROBE, "livenessProbe": _PROBE,
    "lifecycle": {"preStop": {"exec": {"command": None}}},
    "securityContext": {"allowPrivilegeEscalation": None, "capabilities": {"drop": None},
                        "seccompProfile": {"type": None}, "readOnlyRootFilesystem": None,
                        "runAsNonRoot": None, "runAsUser": None},
    "volumeMounts": [{"name": None, "mountPath": None, "readOnly": None}],
}
_POD = {
    "automountServiceAccountToken": None, "enableServiceLinks": None, "imagePullSecrets": None,
    "nodeSelector": None, "tolerations": None, "terminationGracePeriodSeconds": None,
    "topologySpreadConstraints": [{"maxSkew": None, "topologyKey": None, "whenUnsatisfiable": None,
                                   "labelSelector": _SELECTOR}],
    "containers": [_CONTAINER],
    "volumes": [{"name": None, "hostPath": {"path": None, "type": None},
                 "configMap": {"name": None}, "emptyDir": None}],
}
_PORTS = [{"protocol": None, "port": None}]
KINDS = {
    ("apps/v1", "Deployment"): {"spec": {
        "replicas": None, "selector": _SELECTOR, "revisionHistoryLimit": None,
        "strategy": {"type": None, "rollingUpdate": {"maxSurge": None, "maxUnavailable": None}},
        "template": {"metadata": _METADATA, "spec": _POD}}},
    ("v1", "Service"): {"spec": {
        "type": None, "clusterIP": None, "selector": None,
        "ports": [{"name": None, "port": None, "targetPort": None, "protocol": None}]}},
    ("v1", "ConfigMap"): {"data": None},
    ("policy/v1", "PodDisruptionBudget"): {"spec": {"minAvailable": None, "selector": _SELECTOR}},
    ("networking.k8s.io/v1", "NetworkPolicy"): {"spec": {
        "podSelector": _SELECTOR, "policyTypes": None,
        "ingress": [{"from": None, "ports": _PORTS}], "egress": [{"to": None, "ports": _PORTS}]}},
    ("autoscaling/v2", "HorizontalPodAutoscaler"): {"spec": {
        "scaleTargetRef": {"apiVersion": None, "kind": None, "name": None}, "minReplicas": None,
        "maxReplicas": None, "metrics": None, "behavior": {"scaleDown": None, "scaleUp": None}}},
    ("monitoring.coreos.com/v1", "ServiceMonitor"): {"spec": {
        "selector": _SELECTOR,
        "endpoints": [{"port": None, "path": None, "interval": None}]}},
}
SGX = ("sgx.intel.com/enclave", "sgx.intel.com/provision", "sgx.intel.com/epc")
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")


def unknown_keys(value, allowed, where):
    """Keys that are not in the nested table."""
    if allowed is None or value is None:
        return
    if isinstance(allowed, list):
        if not isinstance(value, list):
            yield f"{where}: has to be a list"
            return
        for entry in value:
            yield from unknown_keys(entry, allowed[0], where)
    elif not isinstance(value, dict):
        yield f"{where}: has to be a table"
    else:
        for key in value:
            if key not in allowed:
                yield f"{where}.{key}: there is no such key, or it is not in our table"
            else:
                yield from unknown_keys(value[key], allowed[key], f"{where}.{key}")


def at(value, *path):
    """What lies at a path of keys, or an empty table."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return {} if value is None else value


def form_problems(item):
    """What an API server would refuse of one object, as far as our tables go."""
    kind = item.get("kind")
    table = KINDS.get((item.get("apiVersion"), kind))
    if table is None:
        yield f"{kind}: no kind of {item.get('apiVersion')}, or not in our table"
        return
    name = at(item, "metadata", "name")
    if not re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", str(name)):
        yield f"{kind}: {name!r} is no name"
    allowed = {"apiVersion": None, "kind": None, "metadata": _METADATA, **table}
    yield from unknown_keys(item, allowed, kind)


def container_problems(container, grace):
    """What a container needs, and an enclave above that."""
    where = f"container {container.get('name')}"
    limits = at(container, "resources", "limits")
    if "memory" not in limits or "cpu" not in at(container, "resources", "requests"):
        yield f"{where}: needs a limit of memory and a request of cpu"
    security = at(container, "securityContext")
    if security.get("allowPrivilegeEscalation") is not False or \
            at(security, "capabilities", "drop") != ["ALL"] or not security.get("seccompProfile"):
        yield f"{where}: drop all capabilities, privilege escalation and unusual system calls"
    for probe in ("readinessProbe", "livenessProbe"):
        if not container.get(probe):
            yield f"{where}: has no {probe}"
    if container.get("name") != "enclave":
        return
    for resource in SGX:
        if resource not in limits:
            yield f"{where}: needs {resource} among its limits"
    if not DIGEST.search(str(container.get("image"))):
        yield f"{where}: name the image by its digest"
    if not container.get("startupProbe"):
        yield f"{where}: has no startupProbe, and an enclave starts slowly"
    wait = at(container, "lifecycle", "preStop", "exec", "command")
    if not wait or wait[0] != "sleep" or int(wait[1]) >= int(grace or 30):
        yield f"{where}: preStop has to wait, less than terminationGracePeriodSeconds"


def deployment_problems(item):
    """A deployment that agrees with itself and rolls out without a gap."""
    spec, template = at(item, "spec"), at(item, "spec", "template")
    pod = at(template, "spec")
    wanted, labels = at(spec, "selector", "matchLabels"), at(template, "metadata", "labels")
    if not wanted or not wanted.items() <= labels.items():
        yield "Deployment: its selector does not match its pods"
    if at(spec, "strategy", "rollingUpdate").get("maxUnavailable") != 0:
        yield "Deployment: maxUnavailable has to be 0"
    if pod.get("automountServiceAccountToken") is not False:
        yield "Deployment: automountServiceAccountToken has to be false"
    containers = pod.get("containers") or []
    if "enclave" not in [container.get("name") for container in containers]:
        yield "Deployment: has no container named enclave"
    volumes = {volume["name"]: volume for volume in pod.get("volumes") or []}
    for container in containers:
        yield from container_problems(container, pod.get("terminationGracePeriodSeconds"))
        for mount in container.get("volumeMounts") or []:
            if mount["name"] not in volumes:
                yield f"container {container.get('name')}: there is no volume {mount['name']}"
    for volume in volumes.values():
        path = at(volume, "hostPath")
        if path and (path.get("path") != "/var/run/aesmd" or path.get("type") != "Directory"):
            yield f"volume {volume['name']}: of the node only the folder of AESM is needed"


def pod_facts(items):
    """(labels, names of ports, names of deployments, replicas) of all deployments together."""
    deployments = [item for item in items if item.get("kind") == "Deployment"]
    labels, ports = {}, set()
    for item in deployments:
        labels |= at(item, "spec", "template", "metadata", "labels")
        for container in at(item, "spec", "template", "spec").get("containers") or []:
            ports |= {port.get("name") for port in container.get("ports") or []}
    replicas = min((at(item, "spec").get("replicas") for item in deployments
                    if at(item, "spec").get("replicas")), default=None)
    return labels, ports, {at(item, "metadata")["name"] for item in deployments}, replicas


def agreement_problems(items):
    """Selectors, ports and names that lead to nothing."""
    labels, ports, names, replicas = pod_facts(items)
    services = [at(item, "metadata", "labels") for item in items if item.get("kind") == "Service"]
    for item in items:
        kind, spec = item.get("kind"), at(item, "spec")
        selector = {"Service": at(spec, "selector"), "NetworkPolicy": at(spec, "podSelector", "matchLabels"),
                    "PodDisruptionBudget": at(spec, "selector", "matchLabels")}.get(kind)
        if selector is not None and (not selector or not selector.items() <= labels.items()):
            yield f"{kind}: its selector matches no pod"
        named = [port.get("targetPort") for port in spec.get("ports") or []] if kind == "Service" \
            else [port.get("port") for rule in spec.get("ingress") or []
                  for port in rule.get("ports") or []]
        yield from (f"{kind}: no container has a port {port}" for port in named if port not in ports)
        if kind == "HorizontalPodAutoscaler":
            if at(spec, "scaleTargetRef").get("name") not in names:
                yield f"{kind}: there is no such deployment"
            replicas = replicas or spec.get("minReplicas")
        if kind == "ServiceMonitor":
            wanted = at(spec, "selector", "matchLabels")
            if not any(wanted and wanted.items() <= found.items() for found in services):
                yield f"{kind}: its selector matches no service"
    for item in items:
        least = at(item, "spec").get("minAvailable")
        if least is not None and replicas is not None and least >= replicas:
            yield "PodDisruptionBudget: minAvailable has to be less than the replicas"


def problems_of(items):
    """All that is wrong with the objects of one application."""
    for item in items:
        yield from form_problems(item)
        if item.get("kind") == "Deployment":
            yield from deployment_problems(item)
    yield from agreement_problems(items)
