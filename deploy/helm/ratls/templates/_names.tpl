{{/* SPDX-License-Identifier: Apache-2.0 */}}
{{- define "ratls.name" -}}
{{- printf "%s" .Release.Name | trunc 53 | trimSuffix "-" -}}
{{- end -}}

{{/* What selects the pods; it must not change in the life of a release. */}}
{{- define "ratls.selector" -}}
app.kubernetes.io/name: ratls
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "ratls.labels" -}}
{{ include "ratls.selector" . }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | quote }}
{{- end -}}
