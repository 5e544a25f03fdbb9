package roomcast

import (
	"encoding/json"
	"errors"
	"time"
)

// Message is what Client.Run hands over: an Event, or one of the types below.
type Message interface{ isMessage() }

// Place says which room a message is about: as it was asked for, and the canonical one where that is known.
type Place struct{ Platform, Asked, Room string }

// Status tells how far a room is: connecting, connected, reconnecting, waiting ...
type Status struct {
	Place
	Status string
	Text   string
	Code   string
}

// Problem is an error that ends nothing. Its Place is empty when it is about the connection.
type Problem struct {
	Place
	Code   string
	Text   string
	Detail string
}

// Recovered answers a return with a cursor: Count events follow, and nothing is missing if Complete.
type Recovered struct {
	Place
	Complete bool
	Count    int
}

// Gap says that events are missing between two cursors. After the reason "rewound" events may come again.
type Gap struct {
	Place
	After, Before, Reason string
}

// Dropped says how many events were left out, because this client reads too slowly.
type Dropped struct {
	Place
	Count  int
	ByType map[string]int
}

// Over says that a room is over for good: ended, offline, not_found ... Cursor is where it had come to.
type Over struct {
	Place
	Code   string
	Text   string
	Cursor string
}

// Lost says that there is no connection, why, and when the next one is tried. It goes on where this one was.
type Lost struct {
	Err   error
	Retry time.Duration
}

func (*Status) isMessage()    {}
func (*Problem) isMessage()   {}
func (*Recovered) isMessage() {}
func (*Gap) isMessage()       {}
func (*Dropped) isMessage()   {}
func (*Over) isMessage()      {}
func (*Lost) isMessage()      {}

// frame holds the fields of all that a gateway says about an event, a room or the connection.
type frame struct {
	Type      string            `json:"type"`
	Status    string            `json:"status"`
	Error     string            `json:"error"`
	ID        json.RawMessage   `json:"id"`
	Platform  string            `json:"platform"`
	Room      string            `json:"room"`
	Target    string            `json:"target"`
	Cursor    string            `json:"cursor"`
	Cursors   map[string]string `json:"cursors"`
	Message   string            `json:"message"`
	Detail    string            `json:"detail"`
	Code      string            `json:"code"`
	Reconnect bool              `json:"reconnect"`
	RetryInMS int64             `json:"retry_in_ms"`
	Recovered bool              `json:"recovered"`
	Count     int               `json:"count"`
	ByType    map[string]int    `json:"by_type"`
	After     string            `json:"after"`
	Before    string            `json:"before"`
	Reason    string            `json:"reason"`
}

func (f *frame) retry() time.Duration { return time.Duration(f.RetryInMS) * time.Millisecond }

// decode reads JSON and passes over fields that have another type than ours; false if it is no object.
func decode(text []byte, into interface{}) bool {
	var mismatch *json.UnmarshalTypeError
	err := json.Unmarshal(text, into)
	return err == nil || (errors.As(err, &mismatch) && mismatch.Field != "")
}
