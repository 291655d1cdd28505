package exec

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Text tells how the plan is run, a step a line, the last step first. It is not
// called String, for a String that nobody calls is linked all the same.
func (p *Plan) Text() string {
	var b strings.Builder
	q := p.q
	line := func(depth int, format string, args ...any) {
		fmt.Fprintf(&b, "%s%s\n", strings.Repeat("  ", depth), fmt.Sprintf(format, args...))
	}
	if q.Limit > 0 || q.Offset > 0 {
		line(0, "limit %d offset %d", q.Limit, q.Offset)
	}
	if q.Fill.Kind != FillNone {
		line(0, "fill %s", [...]string{"", "previous", "linear", "value"}[q.Fill.Kind])
	}
	for _, o := range q.OrderBy {
		line(0, "sort by %s%s", o.By, map[bool]string{true: " desc"}[o.Desc])
	}
	if q.Last {
		for _, s := range p.last {
			line(0, "last of %s", s.path)
		}
		return b.String()
	}
	for _, pt := range p.parts {
		depth := 0
		if pt.device != "" {
			line(0, "device %s", pt.device)
			depth = 1
		}
		var names []string
		for _, c := range pt.cols {
			names = append(names, c.Name)
		}
		line(depth, "columns %s", strings.Join(names, "; "))
		p.explainRows(pt.in, depth+1, line)
	}
	return b.String()
}

func (p *Plan) explainRows(in rows, depth int, line func(int, string, ...any)) {
	switch in := in.(type) {
	case *filtered:
		line(depth, "filter %s", in.where)
		if base, ok := in.in.(*seriesRows); ok {
			if all, _ := demands(in.where); len(all) > 0 {
				for _, slot := range sortedKeys(all) {
					line(depth+1, "rule out blocks of %s outside of %s by statistics", base.kinds[slot].Name, all[slot])
				}
			}
		}
		p.explainRows(in.in, depth+1, line)
	case *aggRows:
		line(depth, "group %s", in.group.explain(p.g))
		for n, s := range in.slots {
			how := "of rows"
			for _, m := range s.members {
				if m.direct >= 0 && in.direct != nil {
					how = "of blocks"
					if sa, ok := s.make().(statsAggregator); ok && sa != nil {
						how = "of statistics and blocks"
					}
				}
			}
			if len(s.members) > 1 {
				how += fmt.Sprintf(", merged from %d series", len(s.members))
			}
			line(depth+1, "%s %s", in.text(n), how)
		}
		p.explainRows(in.in, depth+1, line)
	case *seriesRows:
		line(depth, "scan %s", explainRange(p.from, p.to))
		for i, s := range in.series {
			if s == nil {
				line(depth+1, "%s, which does not exist", in.kinds[i].Name)
			} else {
				line(depth+1, "%s %s", s.Path(), s.Kind)
			}
		}
	}
}

func (g *Group) explain(gr *grid) string {
	span := func(s Span) string {
		if s.Months == 1 {
			return "1 month"
		}
		if s.Months > 0 {
			return fmt.Sprintf("%d months", s.Months)
		}
		return time.Duration(s.NS).String()
	}
	switch g.Kind {
	case GroupTime:
		text := fmt.Sprintf("by time of %s every %s", span(gr.interval), span(gr.step))
		if g.LeftOpen {
			text += ", left open"
		}
		return text
	case GroupVariation:
		return fmt.Sprintf("by variation of %s by more than %v", g.By, g.Delta)
	case GroupCondition:
		return fmt.Sprintf("by condition %s", g.By)
	case GroupSession:
		return fmt.Sprintf("by session with gaps of %s", span(g.Interval))
	case GroupCount:
		return fmt.Sprintf("by count of %d %s", g.Size, g.By)
	}
	return "all rows"
}

func explainRange(from, to int64) string {
	text := func(t int64) string {
		if t == math.MinInt64 || t == math.MaxInt64 {
			return ""
		}
		return time.Unix(0, t).UTC().Format(time.RFC3339Nano)
	}
	return fmt.Sprintf("[%s, %s)", text(from), text(to))
}
