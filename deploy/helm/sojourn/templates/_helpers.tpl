{{- define "sojourn.fullname" -}}
{{- if .Values.fullnameOverride -}}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}{{ end -}}
{{- end -}}
{{- end -}}

{{- /* The labels that select a component: (list $ "gateway"). */ -}}
{{- define "sojourn.selector" -}}
{{- $ := index . 0 -}}
app.kubernetes.io/name: {{ default $.Chart.Name $.Values.nameOverride | trunc 63 }}
app.kubernetes.io/instance: {{ $.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{- define "sojourn.labels" -}}
{{- $ := index . 0 -}}
{{ include "sojourn.selector" . }}
app.kubernetes.io/version: {{ default $.Chart.AppVersion $.Values.image.tag | quote }}
app.kubernetes.io/managed-by: {{ $.Release.Service }}
helm.sh/chart: {{ $.Chart.Name }}-{{ $.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* A program's image: (list $ "gatewayd"). */ -}}
{{- define "sojourn.image" -}}
{{- $ := index . 0 -}}
image: {{ printf "%s/%s:%s" $.Values.image.registry (index . 1) (default $.Chart.AppVersion $.Values.image.tag) }}
imagePullPolicy: {{ $.Values.image.pullPolicy }}
{{- end -}}

{{- /* What every pod's spec begins with. */ -}}
{{- define "sojourn.pod" -}}
serviceAccountName: {{ include "sojourn.fullname" . }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- toYaml .Values.podSecurityContext | nindent 2 }}
{{- end -}}

{{- /* Where a component's pods run: its values. */ -}}
{{- define "sojourn.placement" -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "priorityClassName" }}
{{- with index $ $key }}
{{ dict $key . | toYaml }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* Probes on the admin port: (list $ TLS). A start may recover a large file; a service that is away for a moment is no reason to
       turn senders away unanswered, because the gateway's 503 tells them when to come back. */ -}}
{{- define "sojourn.probes" -}}
{{- $scheme := ternary "HTTPS" "HTTP" (index . 0) -}}
startupProbe:
  httpGet: {path: /livez, port: admin, scheme: {{ $scheme }}}
  periodSeconds: 1
  failureThreshold: 600
livenessProbe:
  httpGet: {path: /livez, port: admin, scheme: {{ $scheme }}}
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
readinessProbe:
  httpGet: {path: /readyz, port: admin, scheme: {{ $scheme }}}
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 15
{{- end -}}

{{- define "sojourn.keysSecret" -}}
{{- default (printf "%s-keys" (include "sojourn.fullname" .)) .Values.keys.existingSecret -}}
{{- end -}}

{{- define "sojourn.serviceTokenSecret" -}}
{{- default (printf "%s-service-token" (include "sojourn.fullname" .)) .Values.serviceToken.existingSecret -}}
{{- end -}}

{{- /* The plain keys as JSON: those of values, else those that are there already, else new ones. They are made once a rendering, for the
       Secret and the hashes in the ConfigMap must agree. */ -}}
{{- define "sojourn.keys" -}}
{{- if not .Values.keys.made -}}
{{- $there := dig "data" dict (lookup "v1" "Secret" .Release.Namespace (include "sojourn.keysSecret" .) | default dict) -}}
{{- $keys := dict -}}
{{- range $name, $secret := dict "writeKey" "write-key" "queryToken" "query-token" "adminToken" "admin-token" -}}
{{- $kept := index $there $secret | default "" | b64dec -}}
{{- $plain := index $.Values.keys.plain $name | default $kept -}}
{{- if not $plain }}{{ $plain = printf "%s_%s" (index (splitList "-" $secret) 0) (randAlphaNum 32) }}{{ end -}}
{{- $_ := set $keys $secret $plain -}}
{{- end -}}
{{- $_ := set .Values.keys "made" $keys -}}
{{- end -}}
{{- toJson .Values.keys.made -}}
{{- end -}}

{{- /* The same keys as they stand in the workspaces file. */ -}}
{{- define "sojourn.hashes" -}}
{{- $hashes := dict -}}
{{- if .Values.keys.existingSecret -}}
{{- range $name, $hash := .Values.keys.hashes -}}
{{- if not (regexMatch "^[0-9a-f]{64}$" $hash) }}{{ fail (printf "keys.hashes.%s: with keys.existingSecret, the SHA-256 of what is in it is needed, 64 hex digits" $name) }}{{ end -}}
{{- $_ := set $hashes $name (printf "sha256:%s" $hash) -}}
{{- end -}}
{{- else -}}
{{- $keys := include "sojourn.keys" . | fromJson -}}
{{- range $name, $secret := dict "writeKey" "write-key" "queryToken" "query-token" "adminToken" "admin-token" -}}
{{- $_ := set $hashes $name (printf "sha256:%s" (index $keys $secret | sha256sum)) -}}
{{- end -}}
{{- end -}}
{{- toJson $hashes -}}
{{- end -}}

{{- /* The volume with the workspaces file. It is mounted whole, not by subPath, or changes would not arrive. */ -}}
{{- define "sojourn.workspacesVolume" -}}
- name: workspaces
  {{- if .Values.workspaces.existingSecret }}
  secret: {secretName: {{ .Values.workspaces.existingSecret }}}
  {{- else }}
  configMap: {name: {{ default (printf "%s-workspaces" (include "sojourn.fullname" .)) .Values.workspaces.existingConfigMap }}}
  {{- end }}
{{- end -}}

{{- /* Secrets with certificates. */ -}}
{{- define "sojourn.gatewayTLS" -}}
{{- default (printf "%s-gateway-tls" (include "sojourn.fullname" .)) .Values.tls.gateway.existingSecret -}}
{{- end -}}
{{- define "sojourn.servicesTLS" -}}
{{- default (printf "%s-services-tls" (include "sojourn.fullname" .)) .Values.tls.services.existingSecret -}}
{{- end -}}
{{- define "sojourn.clientTLS" -}}
{{- default (printf "%s-client-tls" (include "sojourn.fullname" .)) .Values.tls.services.existingClientSecret -}}
{{- end -}}

{{- /* Where the release's own jobs find the gateway. */ -}}
{{- define "sojourn.url" -}}
{{ ternary "https" "http" .Values.tls.gateway.enabled }}://{{ include "sojourn.fullname" . }}-gateway:{{ .Values.gateway.service.port }}
{{- end -}}

{{- /* The environment of a job of the sojourn command: (list $ (dict "SOJOURN_ADMIN_TOKEN" "admin-token")). */ -}}
{{- define "sojourn.jobEnv" -}}
{{- $ := index . 0 -}}
{{- range $variable, $key := index . 1 }}
- name: {{ $variable }}
  valueFrom: {secretKeyRef: {name: {{ include "sojourn.keysSecret" $ }}, key: {{ $key }}}}
{{- end }}
{{- if $.Values.tls.gateway.enabled }}
- {name: SSL_CERT_FILE, value: /etc/sojourn/gateway-tls/ca.crt}
{{- end }}
{{- end -}}

{{- /* What the arguments of such a job end with. */ -}}
{{- define "sojourn.jobTLS" -}}
{{- if and .Values.tls.gateway.enabled .Values.tls.gateway.requireClientCertificate -}}
, -cert=/etc/sojourn/gateway-tls/tls.crt, -key=/etc/sojourn/gateway-tls/tls.key
{{- end -}}
{{- end -}}
