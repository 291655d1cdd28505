package alertmanager

import (
	"fmt"
	"maps"
	"slices"
	"strings"
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
	maps.DeleteFunc(labels, func(name, _ string) bool { return strings.HasPrefix(name, "mqtt.") }) // said to another sink
	for _, name := range []string{s.Alert, e.Source} {
		if labels[alertName] == "" {
			labels[alertName] = name
		}
	}
	if labels[alertName] == "" {
		return dst, fmt.Errorf("alertmanager: event %q has no alertname: %w", e.ID, tickwell.ErrBadInput)
	}
	if err := checkNames(labels); err != nil {
		return dst, fmt.Errorf("alertmanager: event %q: %w: %w", e.ID, err, tickwell.ErrBadInput)
	}
	dst = appendMap(append(dst, `{"labels":`...), labels)

	annotations := make(map[string]string, len(s.Annotations)+len(e.Notes))
	maps.Copy(annotations, s.Annotations)
	maps.Copy(annotations, e.Notes)
	if err := checkNames(annotations); err != nil {
		return dst, fmt.Errorf("alertmanager: event %q: %w: %w", e.ID, err, tickwell.ErrBadInput)
	}
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

// checkNames looks at the names of labels or annotations. They are told in the
// order of their names, so that the error is the same each time.
func checkNames(m map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if !labelName(name) {
			return fmt.Errorf("the name %q of a label or annotation is not letters, digits and underscores with no digit first", name)
		}
	}
	return nil
}

// labelName reports whether Alertmanager takes a name: [a-zA-Z_][a-zA-Z0-9_]*.
func labelName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', c == '_', i > 0 && '0' <= c && c <= '9':
		default:
			return false
		}
	}
	return s != ""
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
