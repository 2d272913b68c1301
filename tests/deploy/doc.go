// Package deploy checks what Sojourn is deployed with, without a cluster: the Helm chart with each values file in its ci folder, the
// Tiltfile, and the builder of images. It is a module of its own and no part of the workspace, so that Helm's many dependencies decide
// nothing there.
package deploy
