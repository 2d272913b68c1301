// Package cluster tries the Helm chart on a real cluster, the one that kubectl is set to: it installs the chart in a namespace of its own, sends
// calls from within the cluster, and meanwhile kills, rolls, upgrades, rolls back and restores what it consists of. At the end the dump must be
// that of another Sojourn which was sent exactly the calls that were answered 200.
//
//	make e2e-cluster
//
// It needs kubectl and helm. Images are made here under the tags e2e-1 and e2e-2 and handed to the command in SOJOURN_LOAD, an archive an
// argument; without it "kind load image-archive" is tried. SOJOURN_KEEP=1 leaves the namespace as it is.
package cluster
