package bolt

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// usageRows proves every sum readable and its names known, and returns how many there are of each day.
func (v *verifier) usageRows(ctx context.Context) (map[day.Day]int, error) {
	report := v.into(usageTable)
	rows := map[day.Day]int{}
	err := each(ctx, v.usage, func(key, sealed []byte) {
		k, err := parseUsageKey(key)
		if err == nil {
			_, err = record.Open(key, sealed)
		}
		if err != nil {
			report(err.Error())
			return
		}
		v.checkNames(key, report, k.feature, k.module, k.user, k.account)
		rows[k.day]++
	})
	return rows, err
}

// sums proves that the sums of each day are those of its events, given how many there are. It holds the sums of one day in memory.
func (v *verifier) sums(ctx context.Context, rows map[day.Day]int) error {
	for d, more := v.eventDay(0); more && d <= day.Max; d, more = v.eventDay(d + 1) {
		sums, err := v.sumDay(ctx, d)
		if err != nil {
			return err
		}
		if there := v.compare(sums); there != rows[d] {
			if err := v.reportSuperfluous(ctx, d, sums); err != nil {
				return err
			}
		}
		delete(rows, d)
	}
	for _, d := range slices.Sorted(maps.Keys(rows)) { // days without events
		if err := v.reportSuperfluous(ctx, d, nil); err != nil {
			return err
		}
	}
	return nil
}

// eventDay returns the first day from d on that has an event, and whether there is one.
func (v *verifier) eventDay(d day.Day) (day.Day, bool) {
	cursor := v.events.Cursor()
	key, _ := cursor.Seek(keys.AppendTime(nil, d.StartMS()))
	if len(key) < 6 {
		return 0, false
	}
	return day.Of(keys.Read(key).Time()), true
}

// sumDay adds up the events of a day, by key of usage. Damaged ones have been reported, and do not count.
func (v *verifier) sumDay(ctx context.Context, d day.Day) (map[string]*usageRow, error) {
	sums := map[string]*usageRow{}
	cursor := v.events.Cursor()
	rows := 0
	for key, sealed := cursor.Seek(keys.AppendTime(nil, d.StartMS())); key != nil; key, sealed = cursor.Next() {
		if rows++; rows%rowsPerLook == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		row, err := readEvent(key, sealed)
		if len(key) < 6 || err != nil {
			continue
		}
		ms := keys.Read(key).Time()
		if day.Of(ms) != d {
			break
		}
		at := string(row.sumKey(d).bytes())
		if sums[at] == nil {
			sums[at] = &usageRow{firstMS: ms}
		}
		sums[at].uses++
		sums[at].lastMS = ms
	}
	return sums, nil
}

// compare reports the sums that the table lacks or that it has otherwise, and returns how many can be read there.
func (v *verifier) compare(sums map[string]*usageRow) (there int) {
	report := v.into(usageTable)
	for _, at := range slices.Sorted(maps.Keys(sums)) {
		key := []byte(at)
		sealed := v.usage.Get(key)
		if sealed == nil {
			report(fmt.Sprintf("%d uses are not counted, under key %x", sums[at].uses, key))
			continue
		}
		row, err := readUsage(key, sealed)
		if err != nil {
			continue // reported by usageRows
		}
		there++
		if row != *sums[at] {
			report(fmt.Sprintf("%d uses are counted as %d, or their first and last time is wrong, under key %x",
				sums[at].uses, row.uses, key))
		}
	}
	return there
}

// reportSuperfluous reports the sums of a day that count no event.
func (v *verifier) reportSuperfluous(ctx context.Context, d day.Day, sums map[string]*usageRow) error {
	report := v.into(usageTable)
	return each(ctx, v.usage, func(key, _ []byte) {
		if k, err := parseUsageKey(key); err == nil && k.day == d && sums[string(key)] == nil {
			report(fmt.Sprintf("uses are counted that are not there, under key %x", key))
		}
	})
}
