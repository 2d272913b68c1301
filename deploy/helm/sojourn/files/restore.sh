#!/usr/bin/env bash
# Puts a backup back into the volumes of a release, with kubectl on its current cluster. Meanwhile the gateways answer calls with 503 and
# Retry-After, so that senders try again later. First a backup is taken of what is there now, so that nothing that was answered 200 is lost.
#
#   restore.sh -n NAMESPACE [-r RELEASE] [-b BACKUP] [-y] [-w] [identity] [events] [sessions]
#
#   -r RELEASE  of Helm, "sojourn" unless said
#   -b BACKUP   a directory in the volume of backups, the newest unless said
#   -y          do not ask
#   -w          without saving first: where a service or its volume is gone, no backup of all three can be taken
#
# Without a service all three are restored. What is there now is saved in the volume of backups under before-restore, where the last two of
# its kind stay; at its end the script says how to put it back.
set -euo pipefail
namespace=default release=sojourn backup= ask=1 save=1 saved= restored=
while getopts n:r:b:yw option; do
  case $option in
    n) namespace=$OPTARG ;; r) release=$OPTARG ;; b) backup=/$OPTARG ;; y) ask= ;; w) save= ;;
    *) sed -n '2,15s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
  esac
done
shift $((OPTIND - 1))
services=("${@:-identity}")
[ $# -gt 0 ] || services=(identity events sessions)
for service in "${services[@]}"; do
  case $service in identity | events | sessions) ;; *) echo "restore.sh: there is no service $service" >&2; exit 2 ;; esac
done
case ${backup%/} in /before-restore) echo "restore.sh: say which: -b before-restore/TIME, as the restore before this one did" >&2; exit 2 ;; esac
k() { kubectl -n "$namespace" "$@"; }
die() { echo "restore.sh: $*" >&2; exit 1; }

# The chart's objects are found by their labels: how their names begin is up to the release's values.
of() { # of KIND COMPONENT: the name of the release's object
  local names
  names=$(k get "$1" -l "app.kubernetes.io/instance=$release,app.kubernetes.io/component=$2" -o 'jsonpath={.items[*].metadata.name}')
  case $names in
    '') die "release $release in namespace $namespace has no $1 of $2${3:+: $3}" ;;
    *' '*) die "release $release in namespace $namespace has several of $2: $names" ;;
  esac
  echo "$names"
}
gateway=$(of deployment gateway)
cronjob=$(of cronjob job 'backup.enabled makes it')
prefix=${gateway%-gateway}
of_backup() { k get cronjob "$cronjob" -o "jsonpath={.spec.jobTemplate.spec.template.spec.$1}"; }
image=$(of_backup 'containers[0].image')
claim=$(of_backup 'volumes[?(@.name=="backup")].persistentVolumeClaim.claimName')

if [ "$ask" ]; then
  echo "This puts ${backup:+backup ${backup#/} of }${services[*]} back${backup:+,} in release $release, namespace $namespace."
  [ "$backup" ] || echo "It takes the newest backup; the last one succeeded at $(k get cronjob "$cronjob" -o 'jsonpath={.status.lastSuccessfulTime}')."
  echo "Calls that were answered 200 since that backup are removed from the data. Senders do not send them again."
  if [ "$save" ]; then echo "What is there now is saved under before-restore first."; else echo "What is there now is NOT saved first (-w)."; fi
  read -r -p 'Go on? [y/N] ' answer || answer=
  case $answer in y | Y | yes) ;; *) die "nothing was changed" ;; esac
fi

pods_gone() { k wait --for=delete pod -l "app.kubernetes.io/instance=$release,app.kubernetes.io/component=$1" --timeout=180s >/dev/null; }
scale() { # scale SERVICE REPLICAS
  k scale statefulset "$(of statefulset "$1")" --replicas="$2" >/dev/null
  if [ "$2" = 0 ]; then pods_gone "$1"; else k rollout status statefulset "$(of statefulset "$1")" --timeout=600s >/dev/null; fi
}
refuse_calls() { # refuse_calls true|""; it returns once no gateway of before is left, not even one that is about to stop
  k set env deployment "$gateway" -c gatewayd "SOJOURN_REFUSE_CALLS${1:+=}${1:--}" >/dev/null
  k rollout status deployment "$gateway" --timeout=600s >/dev/null
  while [ "$(k get pods -l "app.kubernetes.io/instance=$release,app.kubernetes.io/component=gateway" \
    -o 'jsonpath={.items[*].metadata.deletionTimestamp}')" ]; do sleep 1; done
}

save_what_is_there() {
  local job=$prefix-before-restore
  k delete job "$job" --ignore-not-found --wait >/dev/null
  # Without an owner: it is none of the CronJob's, whose history of jobs is short, and whose last success is that of a backup.
  k create job "$job" --from="cronjob/$cronjob" --dry-run=client -o json |
    kubectl patch --local -f - --type=json -p '[{"op": "remove", "path": "/metadata/ownerReferences"}]' -o json |
    sed -e 's|-out=/backup|-out=/backup/before-restore|' -e 's|-keep=[0-9]*|-keep=2|' -e 's|"backoffLimit": [0-9]*|"backoffLimit": 0|' |
    k create -f - >/dev/null
  until [ "$(k get job "$job" -o 'jsonpath={.status.conditions[?(@.status=="True")].type}')" ]; do sleep 1; done
  case $(k get job "$job" -o 'jsonpath={.status.conditions[?(@.status=="True")].type}') in
    *Complete*)
      saved=$(k logs "job/$job" | tail -n 1)
      echo "saved what was there: $saved" ;;
    *) k logs "job/$job" >&2 || true; return 1 ;;
  esac
  k delete job "$job" >/dev/null
}

restore() { # restore SERVICE
  local set volume
  set=$(of statefulset "$1")
  volume=$(k get statefulset "$set" -o 'jsonpath={.spec.template.spec.volumes[?(@.name=="data")].persistentVolumeClaim.claimName}')
  if [ -z "$volume" ]; then
    volume=data-$set-0
    if ! k get pvc "$volume" >/dev/null 2>&1; then
      echo "$1: its volume is gone, a new one is made"
      scale "$1" 0
      scale "$1" 1
    fi
  fi
  scale "$1" 0
  k delete pod "$prefix-restore-$1" --ignore-not-found --wait >/dev/null
  k create -f - >/dev/null <<YAML
apiVersion: v1
kind: Pod
metadata:
  name: $prefix-restore-$1
  labels: {app.kubernetes.io/name: sojourn, app.kubernetes.io/instance: $release, app.kubernetes.io/component: job}
spec:
  restartPolicy: Never
  automountServiceAccountToken: false
  serviceAccountName: $(of_backup serviceAccountName)
  imagePullSecrets: $(json imagePullSecrets)
  tolerations: $(json tolerations)
  securityContext: $(of_backup securityContext)
  containers:
    - name: restore
      image: $image
      args: [restore, -from=/backup$backup, -data=/data, -only=$1, -force]
      securityContext: $(of_backup 'containers[0].securityContext')
      resources: $(of_backup 'containers[0].resources')
      volumeMounts: [{name: data, mountPath: /data}, {name: backup, mountPath: /backup, readOnly: true}]
  volumes:
    - {name: data, persistentVolumeClaim: {claimName: $volume}}
    - {name: backup, persistentVolumeClaim: {claimName: $claim}}
YAML
  local phase=
  while [ "$phase" != Succeeded ]; do
    [ "$phase" != Failed ] || failed "$1" "$set"
    sleep 1
    phase=$(k get pod "$prefix-restore-$1" -o 'jsonpath={.status.phase}')
  done
  k logs "$prefix-restore-$1"
  # The others come from the same backup, whatever is newest by then.
  from=$(k logs "$prefix-restore-$1" | sed -n 's|.*, from /backup||p' | tail -n 1)
  backup=${from:-$backup}
  k delete pod "$prefix-restore-$1" >/dev/null
  scale "$1" 1
  restored="$restored $1"
}

failed() { # failed SERVICE STATEFULSET: of a backup that there is not, say, nothing was put anywhere
  k logs "$prefix-restore-$1" >&2
  k delete pod "$prefix-restore-$1" >/dev/null
  if [ "$restored" ] || [ "$unfinished" ]; then
    die "restoring $1 failed, after${restored:- a restore that did not come to its end}; calls go on being refused. Say which backup is good (-b), and run it again with -w"
  fi
  k scale statefulset "$2" --replicas=1 >/dev/null
  refuse_calls ""
  die "restoring $1 failed; nothing was changed, and calls are taken again"
}
json() { local found; found=$(of_backup "$1"); echo "${found:-[]}"; }

unfinished=$(k get deployment "$gateway" -o 'jsonpath={.spec.template.spec.containers[0].env[?(@.name=="SOJOURN_REFUSE_CALLS")].value}')
refuse_calls true
echo "calls are answered 503 from now on"
if [ "$save" ] && ! save_what_is_there; then
  [ -z "$unfinished" ] || die "what is there now could not be saved, and a restore before this one did not come to its end: go on with -w"
  refuse_calls ""
  die "what is there now could not be saved, so nothing was restored, and calls are taken again. If a service or its volume is gone: -w"
fi
for service in "${services[@]}"; do restore "$service"; done
refuse_calls ""
echo "restored; calls are taken again"
[ -z "$saved" ] || echo "to put back what was there before: restore.sh -n $namespace -r $release -b ${saved#/backup/}"
