#!/usr/bin/env bash
# Puts a backup back into the volumes of a release, with kubectl on its current cluster. The gateway is away meanwhile, so that nothing comes
# in that the backup would replace: senders try again.
#
#   deploy/restore.sh -n NAMESPACE [-r RELEASE] [-b BACKUP] [identity] [events] [sessions]
#
# RELEASE is what the chart's objects begin with, "sojourn" unless said. BACKUP is a directory in the volume of backups, the newest unless said.
# Without a service all three are restored.
set -euo pipefail
namespace=default release=sojourn backup=
while getopts n:r:b: option; do
  case $option in
    n) namespace=$OPTARG ;; r) release=$OPTARG ;; b) backup=/$OPTARG ;;
    *) sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
shift $((OPTIND - 1))
services=("${@:-identity}")
[ $# -gt 0 ] || services=(identity events sessions)
k() { kubectl -n "$namespace" "$@"; }
of_backup() { k get cronjob "$release-backup" -o "jsonpath={.spec.jobTemplate.spec.template.spec.$1}"; }

image=$(of_backup 'containers[0].image')
claim=$(of_backup 'volumes[?(@.name=="backup")].persistentVolumeClaim.claimName')
pull=$(of_backup imagePullSecrets)
gateways=$(k get deployment "$release-gateway" -o 'jsonpath={.spec.replicas}')
[ "$gateways" != 0 ] || gateways=${GATEWAYS:-2} # a restore before this one did not come to its end

scale() { # scale KIND NAME REPLICAS
  k scale "$1" "$release-$2" --replicas="$3" >/dev/null
  if [ "$3" = 0 ]; then k wait --for=delete pod -l "app.kubernetes.io/instance=$release,app.kubernetes.io/component=$2" --timeout=120s >/dev/null
  else k rollout status "$1" "$release-$2" --timeout=600s >/dev/null; fi
}

restore() { # restore SERVICE
  if ! k get pvc "data-$release-$1-0" >/dev/null 2>&1; then
    echo "$1: its volume is gone, a new one is made"
    scale statefulset "$1" 0
    scale statefulset "$1" 1
  fi
  scale statefulset "$1" 0
  k delete pod "$release-restore-$1" --ignore-not-found --wait >/dev/null
  k create -f - >/dev/null <<YAML
apiVersion: v1
kind: Pod
metadata:
  name: $release-restore-$1
  labels: {app.kubernetes.io/name: sojourn, app.kubernetes.io/instance: $release, app.kubernetes.io/component: job}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  imagePullSecrets: ${pull:-[]}
  securityContext: {runAsNonRoot: true, runAsUser: 65532, runAsGroup: 65532, fsGroup: 65532, seccompProfile: {type: RuntimeDefault}}
  containers:
    - name: restore
      image: $image
      args: [restore, -from=/backup$backup, -data=/data, -only=$1, -force]
      securityContext: {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
      volumeMounts: [{name: data, mountPath: /data}, {name: backup, mountPath: /backup, readOnly: true}]
  volumes:
    - {name: data, persistentVolumeClaim: {claimName: data-$release-$1-0}}
    - {name: backup, persistentVolumeClaim: {claimName: $claim}}
YAML
  local phase=
  while [ "$phase" != Succeeded ]; do
    [ "$phase" != Failed ] || { k logs "$release-restore-$1" >&2; echo "restoring $1 failed; the gateway stays away" >&2; exit 1; }
    sleep 1
    phase=$(k get pod "$release-restore-$1" -o 'jsonpath={.status.phase}')
  done
  k logs "$release-restore-$1"
  k delete pod "$release-restore-$1" >/dev/null
  scale statefulset "$1" 1
}

scale deployment gateway 0
for service in "${services[@]}"; do restore "$service"; done
scale deployment gateway "$gateways"
echo "restored; the gateway serves again"
