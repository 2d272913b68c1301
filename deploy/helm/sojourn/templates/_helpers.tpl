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

{{- /* An object's labels and annotations: (list $ "gateway"), or (list $ "gateway" LABELS ANNOTATIONS) for more of them. */ -}}
{{- define "sojourn.metadata" -}}
{{- $ := index . 0 -}}
{{- $labels := dict -}}
{{- $annotations := dict -}}
{{- if gt (len .) 2 -}}
{{- $labels = index . 2 -}}
{{- $annotations = index . 3 -}}
{{- end -}}
labels:
  {{- include "sojourn.selector" . | nindent 2 }}
  app.kubernetes.io/version: {{ default $.Chart.AppVersion $.Values.image.tag | quote }}
  app.kubernetes.io/managed-by: {{ $.Release.Service }}
  helm.sh/chart: {{ $.Chart.Name }}-{{ $.Chart.Version | replace "+" "_" }}
  {{- with merge dict $labels $.Values.commonLabels }}{{ toYaml . | nindent 2 }}{{ end }}
{{- with merge dict $annotations $.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* A pod's: (list $ "gateway" VALUES). No version: only what a pod is made of restarts it. */ -}}
{{- define "sojourn.podMetadata" -}}
{{- $ := index . 0 -}}
{{- $values := index . 2 -}}
labels:
  {{- include "sojourn.selector" . | nindent 2 }}
  {{- with merge dict $values.podLabels $.Values.commonLabels }}{{ toYaml . | nindent 2 }}{{ end }}
{{- with merge dict $values.podAnnotations $.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* A program's image: (list $ "gatewayd"). */ -}}
{{- define "sojourn.image" -}}
{{- $ := index . 0 -}}
{{- $own := index $.Values.images (index . 1) -}}
{{- $name := printf "%s/%s" (default $.Values.image.registry $own.registry) (default (index . 1) $own.repository) -}}
{{- $tag := default (default $.Chart.AppVersion $.Values.image.tag) $own.tag -}}
image: {{ ternary (printf "%s@%s" $name (toString $own.digest)) (printf "%s:%s" $name $tag) (not (empty $own.digest)) }}
imagePullPolicy: {{ $.Values.image.pullPolicy }}
{{- end -}}

{{- define "sojourn.serviceAccount" -}}
{{- default (ternary (include "sojourn.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- /* What every pod's spec begins with: (list $ VALUES). */ -}}
{{- define "sojourn.pod" -}}
{{- $ := index . 0 -}}
{{- $values := index . 1 -}}
serviceAccountName: {{ include "sojourn.serviceAccount" $ }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- toYaml $.Values.podSecurityContext | nindent 2 }}
{{- with $values.initContainers }}
initContainers:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* Where a component's pods run: its values. */ -}}
{{- define "sojourn.placement" -}}
{{- range $key := list "nodeSelector" "tolerations" "affinity" "topologySpreadConstraints" "priorityClassName" }}
{{- with index $ $key }}
{{ dict $key . | toYaml }}
{{- end }}
{{- end }}
{{- end -}}

{{- /* Probes on the admin port: (list TLS VALUES). */ -}}
{{- define "sojourn.probes" -}}
{{- $scheme := ternary "HTTPS" "HTTP" (index . 0) -}}
{{- $probes := (index . 1).probes -}}
{{- range $kind, $path := dict "startup" "/livez" "liveness" "/livez" "readiness" "/readyz" }}
{{ $kind }}Probe:
  httpGet: {path: {{ $path }}, port: admin, scheme: {{ $scheme }}}
  {{- toYaml (index $probes $kind) | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* "yes" if the workspaces file is somebody else's. */ -}}
{{- define "sojourn.foreignFile" -}}
{{- if or .Values.workspaces.existingConfigMap .Values.workspaces.existingSecret }}yes{{ end -}}
{{- end -}}

{{- define "sojourn.keysSecret" -}}
{{- default (printf "%s-keys" (include "sojourn.fullname" .)) .Values.keys.existingSecret -}}
{{- end -}}

{{- /* The Secret that backups take their admin token from. */ -}}
{{- define "sojourn.backupSecret" -}}
{{- if and (include "sojourn.foreignFile" .) (not .Values.backup.existingSecret) (not .Values.keys.existingSecret) -}}
{{- fail "backup.existingSecret: with a workspaces file of your own, backups need the name of a Secret whose admin-token is one of the file's admin_tokens (or keys.existingSecret with all three keys)" -}}
{{- end -}}
{{- default (include "sojourn.keysSecret" .) .Values.backup.existingSecret -}}
{{- end -}}

{{- /* The Secret that helm test takes its keys from. */ -}}
{{- define "sojourn.testsSecret" -}}
{{- $none := not (or .Values.tests.existingSecret .Values.keys.existingSecret) -}}
{{- if and $none (include "sojourn.foreignFile" .) -}}
{{- fail "tests.existingSecret: with a workspaces file of your own, helm test needs the name of a Secret whose write-key and query-token are of one workspace of the file, and whose admin-token is one of its admin_tokens (or keys.existingSecret with all three keys). tests.enabled: false goes without helm test" -}}
{{- end -}}
{{- if and (not .Values.tests.existingSecret) (not (include "sojourn.foreignFile" .)) (not .Values.workspaces.default.enabled) -}}
{{- fail "tests.existingSecret: without workspaces.default.enabled, helm test needs the name of a Secret whose write-key and query-token are of one workspace in workspaces.list, with the admin-token. tests.enabled: false goes without helm test" -}}
{{- end -}}
{{- default (include "sojourn.keysSecret" .) .Values.tests.existingSecret -}}
{{- end -}}

{{- define "sojourn.serviceTokenSecret" -}}
{{- default (printf "%s-service-token" (include "sojourn.fullname" .)) .Values.serviceToken.existingSecret -}}
{{- end -}}

{{- /* Fails where random keys cannot be kept, because the cluster cannot be asked what there is: (list $ "which value to set instead"). What
       is asked for is there in every cluster. */ -}}
{{- define "sojourn.mayGenerate" -}}
{{- $ := index . 0 -}}
{{- if eq $.Values.keys.generate "auto" -}}
{{- if not (or (lookup "v1" "Namespace" "" $.Release.Namespace) (lookup "v1" "Namespace" "" "default")) -}}
{{- fail (printf "%s: required where the chart is rendered without a cluster, as by Argo CD and helm template: a generated one would be another each time. (keys.generate: always makes one all the same; helm install --dry-run=server asks the cluster.)" (index . 1)) -}}
{{- end -}}
{{- end -}}
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
{{- if not $plain }}
{{- include "sojourn.mayGenerate" (list $ "keys.existingSecret with keys.hashes") }}
{{- $plain = printf "%s_%s" (index (splitList "-" $secret) 0) (randAlphaNum 32) }}
{{- end -}}
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

{{- /* A job of the sojourn command, from its containers on: a dict of root, name, values, secret, args, env (variable → key of the secret),
       volumes and mounts. */ -}}
{{- define "sojourn.job" -}}
{{- $ := .root -}}
{{- $tls := $.Values.tls.gateway -}}
{{- $mounts := default list .mounts -}}
{{- $volumes := default list .volumes -}}
{{- $args := .args -}}
{{- if $tls.enabled -}}
{{- $mounts = append $mounts (dict "name" "gateway-tls" "mountPath" "/etc/sojourn/gateway-tls" "readOnly" true) -}}
{{- $volumes = append $volumes (dict "name" "gateway-tls" "secret" (dict "secretName" (include "sojourn.gatewayTLS" $))) -}}
{{- if $tls.requireClientCertificate -}}
{{- $args = concat $args (list "-cert=/etc/sojourn/gateway-tls/tls.crt" "-key=/etc/sojourn/gateway-tls/tls.key") -}}
{{- end -}}
{{- end -}}
restartPolicy: Never
containers:
  - name: {{ .name }}
    {{- include "sojourn.image" (list $ "sojourn") | nindent 4 }}
    args: {{ concat $args .values.extraArgs | toJson }}
    env:
      {{- $secret := .secret }}
      {{- range $variable, $key := .env }}
      - name: {{ $variable }}
        valueFrom: {secretKeyRef: {name: {{ $secret }}, key: {{ $key }}}}
      {{- end }}
      {{- if $tls.enabled }}
      - {name: SSL_CERT_FILE, value: /etc/sojourn/gateway-tls/ca.crt}
      {{- end }}
      {{- with .values.extraEnv }}{{ toYaml . | nindent 6 }}{{ end }}
    resources:
      {{- toYaml .values.resources | nindent 6 }}
    securityContext:
      {{- toYaml $.Values.containerSecurityContext | nindent 6 }}
    {{- with concat $mounts .values.extraVolumeMounts }}
    volumeMounts:
      {{- toYaml . | nindent 6 }}
    {{- end }}
  {{- with .values.sidecars }}{{ toYaml . | nindent 2 }}{{ end }}
{{- with concat $volumes .values.extraVolumes }}
volumes:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "sojourn.placement" .values | trim }}{{ . | nindent 0 }}{{ end }}
{{- end -}}

{{- /* How many bytes a quantity of Kubernetes is. */ -}}
{{- define "sojourn.bytes" -}}
{{- $quantity := toString . -}}
{{- $suffix := regexFind "[A-Za-z]+$" $quantity -}}
{{- $unit := get (dict "" 1 "m" 0.001 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "Pi" 1125899906842624) $suffix -}}
{{- mulf (trimSuffix $suffix $quantity | float64) (float64 $unit) | printf "%.0f" -}}
{{- end -}}
