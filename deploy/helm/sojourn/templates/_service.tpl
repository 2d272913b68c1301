{{- /* One of the services that keep data: (dict "root" $ "name" "events" "workspaces" false "stopAfter" 0 "args" (list …)). */ -}}
{{- define "sojourn.service" -}}
{{- $ := .root -}}
{{- $values := index $.Values .name -}}
{{- $component := list $ .name -}}
{{- $fullname := printf "%s-%s" (include "sojourn.fullname" $) .name -}}
{{- if ne (int $values.replicas) 1 -}}
{{- fail (printf "%s.replicas is %v and must be 1: the service keeps its data in one bbolt file, which has one owner. Two replicas would each have half of the data. Give it more CPU and memory instead." .name $values.replicas) -}}
{{- end -}}
{{- include "sojourn.unchangeable" (list $ $fullname $values.persistence) -}}
# What the gateway dials: an address that stays while pods come and go. DNS would tell of a new pod only seconds after it is there. It leads
# to the first pod alone: a second one, of a StatefulSet that was scaled by hand, would be another store.
apiVersion: v1
kind: Service
metadata:
  name: {{ $fullname }}
  {{- include "sojourn.metadata" $component | nindent 2 }}
spec:
  publishNotReadyAddresses: true
  selector:
    {{- include "sojourn.selector" $component | nindent 4 }}
    statefulset.kubernetes.io/pod-name: {{ $fullname }}-0
  ports:
    - {name: grpc, port: 9000, targetPort: grpc{{ with $values.appProtocol }}, appProtocol: {{ . }}{{ end }}}
---
# The pod itself, for the StatefulSet, for monitoring, and for clients that balance by themselves.
apiVersion: v1
kind: Service
metadata:
  name: {{ $fullname }}-headless
  {{- include "sojourn.metadata" $component | nindent 2 }}
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    {{- include "sojourn.selector" $component | nindent 4 }}
    statefulset.kubernetes.io/pod-name: {{ $fullname }}-0
  ports:
    - {name: grpc, port: 9000, targetPort: grpc{{ with $values.appProtocol }}, appProtocol: {{ . }}{{ end }}}
    - {name: admin, port: 9100, targetPort: admin}
---
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ $fullname }}
  {{- include "sojourn.metadata" $component | nindent 2 }}
spec:
  replicas: {{ $values.replicas }}
  serviceName: {{ $fullname }}-headless
  # There is one pod. OrderedReady would keep one that never becomes ready, of a wrong image say, through every rollback.
  podManagementPolicy: Parallel
  revisionHistoryLimit: {{ $.Values.revisionHistoryLimit }}
  selector:
    matchLabels:
      {{- include "sojourn.selector" $component | nindent 6 }}
  # Data outlives the release: who deletes it does so by hand.
  persistentVolumeClaimRetentionPolicy: {whenDeleted: Retain, whenScaled: Retain}
  template:
    metadata:
      {{- include "sojourn.podMetadata" (list $ .name $values) | nindent 6 }}
    spec:
      {{- include "sojourn.pod" (list $ $values) | nindent 6 }}
      # Calls under way may take 10 seconds, and closing the file a moment.
      terminationGracePeriodSeconds: {{ add 30 .stopAfter }}
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
          env:
            # With another number than 0 it refuses to start.
            - name: SOJOURN_ORDINAL
              valueFrom: {fieldRef: {fieldPath: "metadata.labels['apps.kubernetes.io/pod-index']"}}
            {{- with $values.extraEnv }}{{ toYaml . | nindent 12 }}{{ end }}
          ports:
            - {name: grpc, containerPort: 9000}
            - {name: admin, containerPort: 9100}
          {{- include "sojourn.probes" (list (and $.Values.tls.services.enabled $.Values.tls.admin) $values) | trim | nindent 10 }}
          {{- if .stopAfter }}
          # It serves on meanwhile: services that are restarted together are away one after the other.
          lifecycle: {preStop: {sleep: {seconds: {{ .stopAfter }}}}}
          {{- end }}
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
            {{- with $values.extraVolumeMounts }}{{ toYaml . | nindent 12 }}{{ end }}
        {{- with $values.sidecars }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- if or .workspaces $.Values.serviceToken.enabled $.Values.tls.services.enabled $values.persistence.existingClaim $values.extraVolumes }}
      volumes:
        {{- with $values.persistence.existingClaim }}
        - name: data
          persistentVolumeClaim: {claimName: {{ . }}}
        {{- end }}
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
        {{- with $values.extraVolumes }}{{ toYaml . | nindent 8 }}{{ end }}
      {{- end }}
      {{- with include "sojourn.placement" $values | trim }}{{ . | nindent 6 }}{{ end }}
  {{- if not $values.persistence.existingClaim }}
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
  {{- end }}
{{- end -}}

{{- /* Fails, and says what to do, where an upgrade would change what Kubernetes lets nobody change of a StatefulSet that is there:
       (list $ NAME PERSISTENCE). */ -}}
{{- define "sojourn.unchangeable" -}}
{{- $ := index . 0 -}}
{{- $name := index . 1 -}}
{{- $wanted := index . 2 -}}
{{- $namespace := $.Release.Namespace -}}
{{- with lookup "apps/v1" "StatefulSet" $namespace $name -}}
{{- $recreate := printf "kubectl -n %s delete statefulset %s --cascade=orphan" $namespace $name -}}
{{- $again := "The pod and its volume stay, and go on serving. Then do this upgrade again, which makes the StatefulSet anew." -}}
{{- $claims := .spec.volumeClaimTemplates -}}
{{- if and $claims (not $wanted.existingClaim) -}}
{{- $is := (index $claims 0).spec -}}
{{- $size := $is.resources.requests.storage -}}
{{- if ne (include "sojourn.bytes" $size) (include "sojourn.bytes" $wanted.size) -}}
{{- fail (printf "\n%s: its volume has %s and should get %v. Kubernetes does not let the StatefulSet be changed so. If the storage class allows volumes to be expanded (they are never made smaller):\n  kubectl -n %s patch pvc data-%s-0 -p '{\"spec\":{\"resources\":{\"requests\":{\"storage\":\"%v\"}}}}'\n  %s\n%s" $name $size $wanted.size $namespace $name $wanted.size $recreate $again) -}}
{{- end -}}
{{- $class := default "" $is.storageClassName -}}
{{- if or (and $wanted.storageClass (ne $class $wanted.storageClass)) (ne (toJson $is.accessModes) (toJson $wanted.accessModes)) -}}
{{- fail (printf "\n%s: its volume has storage class %q and access modes %s, which no volume can change. Restore a backup into a release with the other ones (docs/kubernetes.md), or set persistence.storageClass and accessModes back." $name $class (toJson $is.accessModes)) -}}
{{- end -}}
{{- end -}}
{{- if or (and $claims $wanted.existingClaim) (and (not $claims) (not $wanted.existingClaim)) -}}
{{- fail (printf "\n%s: Kubernetes does not let this StatefulSet, or its pod, get another volume.\n  kubectl -n %s delete statefulset %s\nIts pod stops; its volume stays. Then do this upgrade again, which makes the StatefulSet anew." $name $namespace $name) -}}
{{- end -}}
{{- if ne (default "OrderedReady" .spec.podManagementPolicy) "Parallel" -}}
{{- fail (printf "\n%s: Kubernetes does not let this StatefulSet be changed so.\n  %s\n%s" $name $recreate $again) -}}
{{- end -}}
{{- end -}}
{{- end -}}
