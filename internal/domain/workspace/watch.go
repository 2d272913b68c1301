package workspace

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often the file is looked at. What has changed is taken at the second look that finds the same: a look may find a file
// that is half written.
const lookEvery = time.Second

// Watched is the configuration of a file, followed as the file changes. It is a Provider.
type Watched struct {
	path    string
	parse   func(path string, text []byte) loaded
	log     *slog.Logger
	current atomic.Pointer[Config]

	// Of the looking goroutine: what the last look found, what was acted on last, and the files with secrets that were named then.
	seen, settled sight
	secrets       []string

	stop context.CancelFunc
	done sync.WaitGroup
}

// sight is what a look at the file, and at those with secrets that it names, found: their content, or why they could not be read.
type sight struct {
	hash   [sha256.Size]byte
	failed string
}

// Watch loads the file at path, as Load does, and follows it, and the files with secrets that it names, until Close: what is changed counts
// within two seconds or a little more. While one of them is wrong or gone, the last good configuration stays, and the log has every
// problem, once, without keys.
//
// Each look reads the whole files. Their times of change would spare that, but they can be set back, and the files are small.
func Watch(path string, log *slog.Logger) (*Watched, error) { return watch(path, parse, log) }

// WatchWithoutSecrets is Watch for those who check no signatures: shared secrets are left out, and the files that hold them are not read.
func WatchWithoutSecrets(path string, log *slog.Logger) (*Watched, error) {
	return watch(path, parseWithoutSecrets, log)
}

func watch(path string, parse func(path string, text []byte) loaded, log *slog.Logger) (*Watched, error) {
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	l := parse(path, text)
	if l.err != nil {
		return nil, l.err
	}
	w := &Watched{path: path, parse: parse, log: log}
	w.settle(text, l.secrets)
	w.current.Store(l.config)
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	w.done.Go(func() { w.follow(ctx) })
	return w, nil
}

// Config implements Provider.
func (w *Watched) Config() *Config { return w.current.Load() }

// Close ends the following. The configuration stays as it is.
func (w *Watched) Close() error {
	w.stop()
	w.done.Wait()
	return nil
}

func (w *Watched) follow(ctx context.Context) {
	ticks := time.NewTicker(lookEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
			w.look(ctx)
		}
	}
}

// look takes the file if it has changed, is whole and is good.
func (w *Watched) look(ctx context.Context) {
	text, err := read(w.path)
	now := sight{}
	if err != nil {
		now.failed = err.Error()
	} else {
		secrets := make([]secretFile, 0, len(w.secrets))
		for _, path := range w.secrets {
			secrets = append(secrets, readSecretFile(path))
		}
		now = sightOf(text, secrets)
	}
	whole := now == w.seen
	w.seen = now
	if !whole || now == w.settled {
		return
	}
	w.settled = now
	var l loaded
	if err == nil {
		l = w.parse(w.path, text)
		w.settle(text, l.secrets)
		err = l.err
	}
	if err != nil {
		w.log.ErrorContext(ctx, "the changed workspaces file is not taken: the configuration stays", slog.Any("error", err))
		return
	}
	w.current.Store(l.config)
	w.log.InfoContext(ctx, "the changed workspaces file is taken", slog.Int("workspaces", len(l.config.Workspaces)))
}

// settle remembers what was acted on, as it was read then: what has changed since, the next look finds.
func (w *Watched) settle(text []byte, secrets []secretFile) {
	w.settled = sightOf(text, secrets)
	w.seen = w.settled
	w.secrets = w.secrets[:0]
	for _, f := range secrets {
		w.secrets = append(w.secrets, f.path)
	}
}

func sightOf(text []byte, secrets []secretFile) sight {
	h := sha256.New()
	h.Write(text)
	for _, f := range secrets {
		h.Write([]byte(f.sign()))
	}
	return sight{hash: [sha256.Size]byte(h.Sum(nil))}
}
