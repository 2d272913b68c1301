package backup_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/kit/backup"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	backupv1 "github.com/sojournhq/sojourn/proto/sojourn/backup/v1"
)

// store is a service that has nothing but a file, of some MiB.
type store struct{ *boltdb.DB }

func (s store) Register(r grpc.ServiceRegistrar) { backup.Register(r, s.DB) }

func serve(t *testing.T) (store, backupv1.BackupServiceClient) {
	t.Helper()
	db, err := boltdb.Open(boltdb.Options{Path: filepath.Join(t.TempDir(), "x.db"), Kind: "test", Format: 3})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx *boltdb.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte("b"))
		return errors.Join(err, b.Put([]byte("k"), make([]byte, 3<<20)))
	})
	if err != nil {
		t.Fatal(err)
	}
	conn, _ := rpctest.Serve(t, store{db})
	return store{db}, backupv1.NewBackupServiceClient(conn)
}

func TestACopyComesWithWhatItIsAndWhatItSumsUpTo(t *testing.T) {
	_, client := serve(t)
	for _, kind := range []string{"", "test"} {
		stream, err := client.CopyFile(t.Context(), &backupv1.CopyFileRequest{Kind: kind})
		if err != nil {
			t.Fatal(err)
		}
		var header *backupv1.FileHeader
		var bytes int64
		sum := sha256.New()
		for {
			part, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			switch p := part.GetPart().(type) {
			case *backupv1.CopyFileResponse_Header:
				header = p.Header
			case *backupv1.CopyFileResponse_Chunk:
				bytes += int64(len(p.Chunk))
				_, _ = sum.Write(p.Chunk)
			}
			if trailer := part.GetTrailer(); trailer != nil {
				if got, want := string(sum.Sum(nil)), string(trailer.GetSha256()); got != want {
					t.Errorf("it sums up to %x, not %x", got, want)
				}
				break
			}
		}
		if header.GetKind() != "test" || header.GetFormat() != 3 || header.GetBytes() != bytes || header.GetTakenAt() == nil {
			t.Errorf("%d bytes came as %v", bytes, header)
		}
		if _, err := stream.Recv(); !errors.Is(err, io.EOF) {
			t.Errorf("behind the trailer: %v", err)
		}
	}
}

func TestThereIsOneCopyAtATimeAndNoneOfAnotherKind(t *testing.T) {
	_, client := serve(t)
	ask := func(ctx context.Context, kind string) (backupv1.BackupService_CopyFileClient, error) {
		stream, err := client.CopyFile(ctx, &backupv1.CopyFileRequest{Kind: kind})
		if err == nil {
			_, err = stream.Recv()
		}
		return stream, err
	}
	if _, err := ask(t.Context(), "other"); status.Code(err) != codes.NotFound {
		t.Errorf("another kind: %v", err)
	}
	ctx, leave := context.WithCancel(t.Context())
	first, err := ask(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ask(t.Context(), ""); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("a second at the same time: %v", err)
	}
	leave()
	for err == nil {
		_, err = first.Recv()
	}
	for { // the server learns a little later that its client has left
		if _, err := ask(t.Context(), ""); status.Code(err) != codes.ResourceExhausted {
			if err != nil {
				t.Errorf("after the first has left: %v", err)
			}
			return
		}
	}
}

func TestASlowClientHoldsNoReadTransactionOpen(t *testing.T) {
	db, client := serve(t)
	stream, err := client.CopyFile(t.Context(), &backupv1.CopyFileRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the header, and a chunk, which is read from the copy
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	// The client reads no more, and most of the copy is still to be sent.
	if readers := db.Readers(); readers != 0 {
		t.Errorf("%d read transactions are open", readers)
	}
}
