package workspace

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// filePrefix begins a shared secret that is the path of a file which holds it.
const filePrefix = "file:"

// secretFile is a file with a shared secret, as it was read.
type secretFile struct {
	path, text string
	err        error
}

// readSecretFile reads a file with a shared secret. Space around it, such as the end of its line, is no part of it.
func readSecretFile(path string) secretFile {
	text, err := os.ReadFile(path)
	return secretFile{path: path, text: strings.TrimSpace(string(text)), err: err}
}

// sign returns what tells two readings of the file apart.
func (f secretFile) sign() string { return fmt.Sprintf("%q %q %v\n", f.path, f.text, f.err) }

// resolveSecrets puts the contents of files in place of their names in the sources' shared secrets, and returns what it read, each file
// once. Names are relative to dir. One that cannot be read keeps its name, for which the check then refuses it.
func (c *Config) resolveSecrets(dir string, read func(path string) secretFile) []secretFile {
	var files []secretFile
	known := map[string]secretFile{}
	readOnce := func(path string) secretFile {
		f, ok := known[path]
		if !ok {
			f = read(path)
			known[path], files = f, append(files, f)
		}
		return f
	}
	for i := range c.Workspaces {
		for j := range c.Workspaces[i].Sources {
			c.Workspaces[i].Sources[j].resolveSecrets(dir, readOnce)
		}
	}
	return files
}

func (s *Source) resolveSecrets(dir string, read func(path string) secretFile) {
	for i, secret := range s.SharedSecrets {
		path, isFile := strings.CutPrefix(secret, filePrefix)
		if !isFile {
			continue
		}
		if s.SecretFiles == nil {
			s.SecretFiles = make([]string, len(s.SharedSecrets))
		}
		s.SecretFiles[i] = path
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		if f := read(path); f.err == nil {
			s.SharedSecrets[i] = f.text
		}
	}
}

// notRead stands for the shared secrets of a source whose secrets nobody asks for: that it has some says that its requests are signed.
const notRead = "a shared secret that was not read"

// dropSecrets puts notRead in place of the sources' shared secrets. It reads no file.
func (c *Config) dropSecrets() []secretFile {
	for i := range c.Workspaces {
		for j := range c.Workspaces[i].Sources {
			if s := &c.Workspaces[i].Sources[j]; len(s.SharedSecrets) > 0 {
				s.SharedSecrets = []string{notRead}
			}
		}
	}
	return nil
}

// sharedSecrets checks the secrets of one source. They are shared with Segment, where one may sign for several sources.
func (p *problems) sharedSecrets(where string, secrets []string) {
	seen := map[string]bool{}
	for i, secret := range secrets {
		at := fmt.Sprintf("%s[%d]", where, i)
		switch {
		case strings.HasPrefix(secret, filePrefix):
			p.add("%s: the file cannot be read: look whether it is there, and who may read it", at)
		case len(secret) < minKeyBytes:
			p.add("%s: shorter than %d characters: take a longer one, here and in Segment", at, minKeyBytes)
		case strings.ContainsAny(secret, "\r\n"):
			p.add("%s: longer than one line: take the line ends out", at)
		case seen[secret]:
			p.add("%s: stands twice: take one away", at)
		}
		seen[secret] = true
	}
}
