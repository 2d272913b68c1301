{{- /* One of the services that keep data: (dict "root" $ "name" "events" "workspaces" false "args" (list …)). */ -}}
{{- define "sojourn.service" -}}
{{- $ := .root -}}
{{- $values := index $.Values .name -}}
{{- $component := list $ .name -}}
{{- $fullname := printf "%s-%s" (include "sojourn.fullname" $) .name -}}
{{- if ne (int $values.replicas) 1 -}}
{{- fail (printf "%s.replicas is %v and must be 1: the service keeps its data in one bbolt file, which has one owner. Two replicas would each have half of the data. Give it more CPU and memory instead." .name $values.replicas) -}}
{{- end -}}
# Without an address of its own: the name leads to the pod. Also while it is not ready, for the gateway tries by itself.
apiVersion: v1
kind: Service
metadata:
  name: {{ $fullname }}
  labels:
    {{- include "sojourn.labels" $component | nindent 4 }}
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    {{- include "sojourn.selector" $component | nindent 4 }}
  ports:
    - {name: grpc, port: 9000, targetPort: grpc}
    - {name: admin, port: 9100, targetPort: admin}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ $fullname }}
  labels:
    {{- include "sojourn.labels" $component | nindent 4 }}
spec:
  replicas: {{ $values.replicas }}
  serviceName: {{ $fullname }}
  selector:
    matchLabels:
      {{- include "sojourn.selector" $component | nindent 6 }}
  # Data outlives the release: who deletes it does so by hand.
  persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Retain}
  template:
    metadata:
      # No version: only what a pod is made of restarts it.
      labels:
        {{- include "sojourn.selector" $component | nindent 8 }}
        {{- with $values.podLabels }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- with $values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "sojourn.pod" $ | nindent 6 }}
      # Calls under way may take 10 seconds, and closing the file a moment.
      terminationGracePeriodSeconds: 30
      containers:
        - name: {{ .name }}d
          {{- include "sojourn.image" (list $ (printf "%sd" .name)) | nindent 10 }}
          args:
            - -listen=:9000
            - -admin-listen=:9100
            - -data=/data
            {{- if .workspaces }}
            - -workspaces=/etc/sojourn/workspaces/workspaces.yaml
            {{- end }}
            {{- range .args }}
            - {{ . }}
            {{- end }}
            {{- if $.Values.serviceToken.enabled }}
            - -service-token-file=/etc/sojourn/service-token/token
            {{- end }}
            {{- if $.Values.tls.services.enabled }}
            - -tls-cert=/etc/sojourn/tls/tls.crt
            - -tls-key=/etc/sojourn/tls/tls.key
            - -tls-client-ca=/etc/sojourn/tls/ca.crt
            {{- if $.Values.tls.admin }}
            - -admin-tls
            {{- end }}
            {{- end }}
            {{- range $values.extraArgs }}
            - {{ . | quote }}
            {{- end }}
          {{- with $values.extraEnv }}
          env:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          ports:
            - {name: grpc, containerPort: 9000}
            - {name: admin, containerPort: 9100}
          {{- include "sojourn.probes" (list (and $.Values.tls.services.enabled $.Values.tls.admin)) | nindent 10 }}
          resources:
            {{- toYaml $values.resources | nindent 12 }}
          securityContext:
            {{- toYaml $.Values.containerSecurityContext | nindent 12 }}
          volumeMounts:
            - {name: data, mountPath: /data}
            {{- if .workspaces }}
            - {name: workspaces, mountPath: /etc/sojourn/workspaces, readOnly: true}
            {{- end }}
            {{- if $.Values.serviceToken.enabled }}
            - {name: service-token, mountPath: /etc/sojourn/service-token, readOnly: true}
            {{- end }}
            {{- if $.Values.tls.services.enabled }}
            - {name: tls, mountPath: /etc/sojourn/tls, readOnly: true}
            {{- end }}
      {{- if or .workspaces $.Values.serviceToken.enabled $.Values.tls.services.enabled }}
      volumes:
        {{- if .workspaces }}
        {{- include "sojourn.workspacesVolume" $ | nindent 8 }}
        {{- end }}
        {{- if $.Values.serviceToken.enabled }}
        - name: service-token
          secret: {secretName: {{ include "sojourn.serviceTokenSecret" $ }}}
        {{- end }}
        {{- if $.Values.tls.services.enabled }}
        - name: tls
          secret: {secretName: {{ include "sojourn.servicesTLS" $ }}}
        {{- end }}
      {{- end }}
      {{- with include "sojourn.placement" $values | trim }}{{ . | nindent 6 }}{{ end }}
  volumeClaimTemplates:
    - metadata:
        name: data
        labels:
          {{- include "sojourn.selector" $component | nindent 10 }}
      spec:
        accessModes: {{ toJson $values.persistence.accessModes }}
        {{- with $values.persistence.storageClass }}
        storageClassName: {{ . }}
        {{- end }}
        resources: {requests: {storage: {{ $values.persistence.size }}}}
{{- end -}}
