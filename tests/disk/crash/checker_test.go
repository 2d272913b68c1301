package crash

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
)

// checker compares states with what they may be.
type checker struct {
	inspection
	subject  subject
	expected [senders][]string // by how many steps were done

	beyond, unfinished int
}

// newChecker finds out what a store holds after each step, on one that nothing befalls.
func newChecker(ctx context.Context, i inspection, recordings []recording) (*checker, error) {
	c := &checker{inspection: i, subject: subjects()[i.Subject]}
	var last known
	for _, r := range recordings {
		for _, op := range r.Log {
			last.see(op)
		}
	}
	return c, c.opened(ctx, func(s store) error {
		for sender := range senders {
			for step := range last.Sent[sender] + 1 {
				if step > 0 {
					if err := s.step(ctx, i.Seed, sender, step-1); err != nil {
						return err
					}
				}
				text, err := s.state(ctx, sender)
				if err != nil {
					return err
				}
				c.expected[sender] = append(c.expected[sender], text)
			}
		}
		return nil
	})
}

// opened opens the store in the inspection's directory, has it used, and closes it.
func (c *checker) opened(ctx context.Context, use func(store) error) error {
	fatal := make(chan error, 1)
	d := observe.Discard()
	d.Fatal = func(err error) { fatal <- err }
	s, err := c.subject.open(ctx, c.Dir, d)
	if err != nil {
		return fmt.Errorf("open: %w", err)
	}
	err = errors.Join(use(s), s.Close())
	select {
	case cause := <-fatal:
		return errors.Join(err, cause)
	default:
		return err
	}
}

// check opens a store on a state, compares, does the step that each sender would send next, and compares again. What it leaves must be
// sound, and every third state must be that before anything was done about it.
func (c *checker) check(ctx context.Context, s state) error {
	if err := errors.Join(os.RemoveAll(c.Dir), os.MkdirAll(c.Dir, 0o700), s.tree.Store(c.Dir)); err != nil {
		return err
	}
	if s.number%3 == 0 && len(s.tree) > 0 && s.known.any() {
		if err := c.sound(ctx); err != nil {
			return fmt.Errorf("before it was opened: %w", err)
		}
	}
	err := c.opened(ctx, func(open store) error {
		for sender := range senders {
			if err := c.compare(ctx, open, s.known, sender); err != nil {
				return fmt.Errorf("sender %d, %d steps answered, %d sent: %w", sender, s.known.Answered[sender], s.known.Sent[sender], err)
			}
		}
		return nil
	})
	if err != nil || s.number%2 == 0 {
		return err
	}
	return c.sound(ctx)
}

// compare compares a sender's workspace with what it may be, and with what it must be once the step that was not answered is repeated.
func (c *checker) compare(ctx context.Context, open store, k known, sender int) error {
	got, err := open.state(ctx, sender)
	if err != nil {
		return err
	}
	answered, sent := k.Answered[sender], k.Sent[sender]
	switch expected := c.expected[sender]; {
	case got == expected[answered]:
	case got == expected[sent]:
		c.beyond++
	case sent > answered && deletes(answered):
		c.unfinished++
	default:
		return c.unlike(got, sender)
	}
	if answered == len(c.expected[sender])-1 {
		return nil
	}
	if err := open.step(ctx, c.Seed, sender, answered); err != nil {
		return fmt.Errorf("step %d: %w", answered, err)
	}
	if got, err = open.state(ctx, sender); err != nil {
		return err
	}
	if got != c.expected[sender][answered+1] {
		return fmt.Errorf("after step %d: %w", answered, c.unlike(got, sender))
	}
	return nil
}

// unlike says what a state that is none of the expected ones is.
func (c *checker) unlike(got string, sender int) error {
	for steps, expected := range c.expected[sender] {
		if got == expected {
			return fmt.Errorf("the state is that after %d steps", steps)
		}
	}
	return errors.New("the state is none that any number of steps makes")
}

// sound has the files verified.
func (c *checker) sound(ctx context.Context) error {
	var problems []error
	err := c.subject.verify(ctx, c.Dir, func(p soundness.Problem) { problems = append(problems, errors.New(p.String())) })
	return errors.Join(append(problems, err)...)
}

func (k known) any() bool { return k.Answered != [senders]int{} }
