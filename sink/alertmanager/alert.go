package alertmanager

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
)

const alertName = "alertname"

// appendAlert appends the JSON object of one alert. The maps of the event and
// of the sink are left as they are.
func (s *Sink) appendAlert(dst []byte, e *tickwell.Event) ([]byte, error) {
	labels := make(map[string]string, len(s.Labels)+len(e.Labels)+1)
	maps.Copy(labels, s.Labels)
	maps.Copy(labels, e.Labels)
	for _, name := range []string{s.Alert, e.Source} {
		if labels[alertName] == "" {
			labels[alertName] = name
		}
	}
	if labels[alertName] == "" {
		return dst, fmt.Errorf("alertmanager: event %q has no alertname: %w", e.ID, tickwell.ErrBadInput)
	}
	dst = appendMap(append(dst, `{"labels":`...), labels)

	annotations := make(map[string]string, len(s.Annotations)+len(e.Notes))
	maps.Copy(annotations, s.Annotations)
	maps.Copy(annotations, e.Notes)
	if len(annotations) > 0 {
		s.fill(annotations, labels, e)
		dst = appendMap(append(dst, `,"annotations":`...), annotations)
	}
	switch start, end := s.span(e); {
	case !start.IsZero() && !end.IsZero():
		dst = appendTime(appendTime(dst, "startsAt", start), "endsAt", end)
	case !start.IsZero():
		dst = appendTime(dst, "startsAt", start)
	case !end.IsZero():
		dst = appendTime(dst, "endsAt", end)
	}
	if s.GeneratorURL != "" {
		dst = appendText(append(dst, `,"generatorURL":`...), s.GeneratorURL)
	}
	return append(dst, '}'), nil
}

// span returns when an alert begins and ends, the zero time for what the server
// is to fill in. The start of a resolved alert is what the server knows.
func (s *Sink) span(e *tickwell.Event) (start, end time.Time) {
	switch {
	case e.Time.IsZero() || e.Status == tickwell.StatusNone:
	case e.Status == tickwell.StatusResolved:
		end = e.Time
	default:
		start = e.Time
		if s.Hold > 0 {
			end = start.Add(s.Hold)
		}
	}
	return start, end
}

func (s *Sink) template() sink.TemplateOptions {
	o := s.Template
	o.Empty, o.JSON, o.Escape = true, false, nil
	return o
}

// fill puts labels into annotations, then what else the event has. A text that
// is no template stays as it is: an alert is not lost over its description.
func (s *Sink) fill(annotations, labels map[string]string, e *tickwell.Event) {
	known := *e
	known.Fields = make([]tickwell.Field, 0, len(labels)+len(e.Fields))
	for name, value := range labels {
		known.Fields = append(known.Fields, tickwell.Text(name, value))
	}
	known.Fields = append(known.Fields, e.Fields...) // of one name the first counts
	for name, text := range annotations {
		t, err := sink.NewTemplate(text, s.template())
		if err != nil {
			continue
		}
		if text, err := t.Render(&known); err == nil {
			annotations[name] = text
		}
	}
}

func appendMap(dst []byte, m map[string]string) []byte {
	dst = append(dst, '{')
	for i, name := range slices.Sorted(maps.Keys(m)) {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendText(append(appendText(dst, name), ':'), m[name])
	}
	return append(dst, '}')
}

func appendTime(dst []byte, name string, t time.Time) []byte {
	dst = append(append(append(dst, `,"`...), name...), `":"`...)
	return append(t.UTC().AppendFormat(dst, time.RFC3339Nano), '"')
}

func appendText(dst []byte, s string) []byte {
	return sink.AppendValueJSON(dst, tickwell.TextValue(s))
}
