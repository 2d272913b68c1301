// Package version says which build of Sojourn a program is.
package version

import (
	"cmp"
	"fmt"
	"runtime/debug"
)

// Set by the linker where version control cannot be asked, as in a container's build:
// -ldflags "-X github.com/sojournhq/sojourn/internal/kit/version.version=v1.2.3 -X …version.commit=…".
var version, commit string //nolint:gochecknoglobals // the linker can set nothing else

// Info is a build: its version and the commit it was made from; "unknown" where that was not recorded.
type Info struct{ Version, Commit string }

// Get returns what the linker was told or, without that, what the go command recorded.
func Get() Info {
	recorded := Info{Version: "unknown", Commit: "unknown"}
	if build, ok := debug.ReadBuildInfo(); ok {
		recorded.Version = cmp.Or(build.Main.Version, recorded.Version)
		for _, s := range build.Settings {
			if s.Key == "vcs.revision" {
				recorded.Commit = s.Value
			}
		}
	}
	return Info{Version: cmp.Or(version, recorded.Version), Commit: cmp.Or(commit, recorded.Commit)}
}

// String is the build in one line.
func (i Info) String() string { return fmt.Sprintf("%s (commit %s)", i.Version, i.Commit) }
