package smtp_test

import (
	"fmt"

	"github.com/tickwell/tickwell"
	"github.com/tickwell/tickwell/sink"
	"github.com/tickwell/tickwell/sink/smtp"
)

// The settings of a sink that mails each event to two people. The password comes
// from a secret, and neither it nor the addresses print.
func ExampleSink() {
	s := &smtp.Sink{
		Server: "mail.example.org", Username: "plant", Password: sink.NewSecret("s3cret"),
		From: "Plant 7 <plant@example.org>", To: []string{"ops@example.org", "night@example.org"},
		Subject: "{{.series}} is {{.v | fixed 1}} °C",
		Text:    "Seen at {{.time}}.\n{{.note | default \"No note.\"}}",
		HTML:    "<p>Seen at <b>{{.time}}</b>.</p><p>{{.note | default \"No note.\"}}</p>",
		Template: sink.TemplateOptions{
			Columns: []string{"v", "note"}, TimeFormat: "2006-01-02 15:04", Zone: "Europe/Berlin",
		},
	}
	fmt.Println(s, s.Validate())
	s.Subject = "{{.value}}" // found out at once, not with the first alarm
	err := s.Validate()
	fmt.Println(err)
	fmt.Printf("%+v\n", tickwell.SinkSpec{Name: "mail", Sink: s}.Sink)
	// Output:
	// smtp mail.example.org:587 <nil>
	// smtp: template "{{.value}}": no column "value": bad input: bad input
	// smtp mail.example.org:587
}
