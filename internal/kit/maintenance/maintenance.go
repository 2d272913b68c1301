// Package maintenance makes data files small again while they are used: when somebody asks for it over gRPC, and by itself when much of a
// file is free.
package maintenance

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/rpc"
	maintenancev1 "github.com/sojournhq/sojourn/proto/sojourn/maintenance/v1"
)

// Process is what the data files of one process share: only one of them is compacted at a time.
type Process struct {
	byItself bool
	turn     chan struct{} // holds one place
}

// NewProcess returns what the files of a process share, and says whether they are compacted without being asked to.
func NewProcess(byItself bool) *Process {
	return &Process{byItself: byItself, turn: make(chan struct{}, 1)}
}

// file is what is looked after.
type file interface {
	Kind() string
	// Worthwhile says whether compacting makes room.
	Worthwhile() bool
	// Reserve is what is to stay free on the disk, in bytes.
	Reserve() int64
	// Compact compacts the file and leaves so many bytes free on the disk.
	Compact(ctx context.Context, spare int64) (boltdb.Compaction, error)
}

// Server implements maintenancev1.MaintenanceServiceServer for one data file.
type Server struct {
	maintenancev1.UnimplementedMaintenanceServiceServer

	file    file
	process *Process
	log     *slog.Logger

	stop    context.CancelFunc
	working sync.WaitGroup
}

// Open begins to look after a file. Without a process it has one to itself, and is compacted only when somebody asks. The caller closes it
// before the file.
func Open(db *boltdb.DB, process *Process, log *slog.Logger) *Server {
	if process == nil {
		process = NewProcess(false)
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Server{file: db, process: process, log: log, stop: stop}
	if process.byItself {
		s.working.Go(func() { s.look(ctx) })
	}
	return s
}

// Register adds the service to a server.
func (s *Server) Register(r grpc.ServiceRegistrar) {
	maintenancev1.RegisterMaintenanceServiceServer(r, s)
}

// Close ends what the server does by itself.
func (s *Server) Close() {
	s.stop()
	s.working.Wait()
}

// Compact implements maintenancev1.MaintenanceServiceServer.
func (s *Server) Compact(ctx context.Context, r *maintenancev1.CompactRequest) (*maintenancev1.CompactResponse, error) {
	if store := r.GetStore(); store != "" && store != s.file.Kind() {
		return nil, status.Error(codes.NotFound, "store is not that of this service")
	}
	done, err := s.compact(ctx, 0)
	switch {
	case errors.Is(err, errTurn), errors.Is(err, boltdb.ErrCompacting):
		return nil, status.Error(codes.ResourceExhausted, "a data file of this process is being compacted already, try again later")
	case errors.Is(err, boltdb.ErrNoRoom):
		return nil, status.Error(codes.ResourceExhausted, boltdb.ErrNoRoom.Error())
	case errors.Is(err, boltdb.ErrDamaged):
		return nil, status.Error(codes.FailedPrecondition, "the data file is damaged: the log names the place")
	case err != nil:
		return nil, rpc.Status(err)
	}
	return &maintenancev1.CompactResponse{BytesBefore: done.Before, BytesAfter: done.After, Took: durationpb.New(done.Took)}, nil
}

var errTurn = errors.New("another file of the process is being compacted")

// compact compacts the file if no other one is being compacted, and puts down what became of it.
func (s *Server) compact(ctx context.Context, spare int64) (boltdb.Compaction, error) {
	select {
	case s.process.turn <- struct{}{}:
		defer func() { <-s.process.turn }()
	default:
		return boltdb.Compaction{}, errTurn
	}
	done, err := s.file.Compact(ctx, spare)
	switch {
	case err == nil:
		s.log.InfoContext(ctx, "the data file was compacted", slog.Int64("bytes_before", done.Before),
			slog.Int64("bytes_after", done.After), slog.Duration("took", done.Took))
	case ctx.Err() == nil && !errors.Is(err, boltdb.ErrClosed) && !errors.Is(err, boltdb.ErrCompacting):
		s.log.WarnContext(ctx, "the data file was not compacted", slog.Any("error", err))
	}
	return done, err
}

const (
	// lookEvery is how often a file is looked at.
	lookEvery = time.Minute
	// After a failure the file is left alone for so long, and twice as long after each further one.
	firstPause, longestPause = 10 * time.Minute, 24 * time.Hour
)

// look compacts the file whenever much of it is free, until ctx ends.
func (s *Server) look(ctx context.Context) {
	var p pauses
	for wait := lookEvery; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
			wait = s.lookOnce(ctx, &p)
		}
	}
}

// lookOnce compacts the file if much of it is free and it is its turn, and returns for how long to leave it alone.
func (s *Server) lookOnce(ctx context.Context, p *pauses) time.Duration {
	if !s.file.Worthwhile() {
		return lookEvery
	}
	switch _, err := s.compact(ctx, s.file.Reserve()); {
	case errors.Is(err, errTurn), errors.Is(err, boltdb.ErrCompacting):
		return lookEvery
	case err != nil:
		return p.longer()
	}
	p.last = 0
	return lookEvery
}

// pauses grow with every failure.
type pauses struct{ last time.Duration }

func (p *pauses) longer() time.Duration {
	p.last = min(max(2*p.last, firstPause), longestPause)
	return p.last
}
