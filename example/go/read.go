package roomcast

import "time"

// stays has the codes of errors that end nothing, although asking again would not help.
var stays = map[string]bool{"bad_option": true, "bad_cursor": true, "bad_command": true, "not_subscribed": true}

// read takes a frame in: what it changes here, and what is to be handed over, if anything.
func (c *Client) read(text []byte) Message {
	var f frame
	if !decode(text, &f) {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.find(&f)
	switch {
	case f.Type == "pong":
		c.heard = true
		for _, s := range c.rooms {
			s.reach(f.Cursors[s.canonical()])
		}
		return nil
	case f.Status == "closing" || f.Error != "":
		return c.readEnd(s, &f)
	case s == nil:
		return nil // of a room that was given up
	case f.Status != "":
		if s.Since == "" {
			s.reach(f.Cursor)
		}
		return &Status{Place: s.place(), Status: f.Status, Text: f.Message, Code: f.Code}
	}
	switch f.Type {
	case "subscribed":
		s.key = f.Platform + ":" + f.Room
	case "target":
		s.move(f.Platform + ":" + f.Target)
	case "recovered":
		return &Recovered{Place: s.place(), Complete: f.Recovered, Count: f.Count}
	case "dropped":
		return &Dropped{Place: s.place(), Count: f.Count, ByType: f.ByType}
	case "gap":
		s.reach(f.Cursor)
		return &Gap{Place: s.place(), After: f.After, Before: f.Before, Reason: f.Reason}
	case "", "unsubscribed", "subscriptions":
	default:
		event := newEvent(f.Type)
		decode(text, event)
		event.Base().JSON = text
		s.reach(f.Cursor)
		s.failures, c.heard = 0, true
		return event
	}
	return nil
}

// readEnd takes in what may be the end of a room, or of the connection.
func (c *Client) readEnd(s *subscription, f *frame) Message {
	closing := f.Status == "closing"
	if s == nil {
		if f.Room != "" || len(f.ID) > 0 {
			return nil // of a room that was given up
		}
		if !f.Reconnect && !stays[f.Code] && f.Code != "requested" {
			c.final = f
		}
		c.told = f.retry()
		if closing {
			return nil // Lost follows
		}
		return &Problem{Code: f.Code, Text: f.Error, Detail: f.Detail}
	}
	if f.Code == "bad_cursor" {
		s.Since = ""
	}
	if !f.Reconnect && !stays[f.Code] {
		s.reach(f.Cursor)
		c.forget(s)
		return &Over{Place: s.place(), Code: f.Code, Text: f.text(), Cursor: s.Since}
	}
	if closing || f.Code == "internal" { // over as well, but it can be had again
		s.asked = false
		time.AfterFunc(c.delay(s.failures, f.retry()), func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.holds(s) {
				c.ask(s)
			}
		})
		s.failures++
	}
	return &Problem{Place: s.place(), Code: f.Code, Text: f.text(), Detail: f.Detail}
}

func (c *Client) holds(s *subscription) bool {
	for _, other := range c.rooms {
		if other == s {
			return true
		}
	}
	return false
}

// reach notes how far a room has come.
func (s *subscription) reach(cursor string) {
	if cursor != "" {
		s.Since = cursor
	}
}

// move notes which room a name points to. A cursor belongs to one room.
func (s *subscription) move(target string) {
	if s.target != "" && s.target != target {
		s.Since = ""
	}
	s.target = target
}

func (f *frame) text() string {
	if f.Error != "" {
		return f.Error
	}
	return f.Message
}
