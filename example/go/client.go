// Package roomcast is a client for roomcast gateways: many live rooms on one connection, resumed after any loss.
package roomcast

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"
)

const (
	frameMaxBytes = 1 << 20 // an event has 64 KiB at most
	roomMax       = 512     // characters; a gateway closes the whole connection for a command that is far too long
	retryMin      = 500 * time.Millisecond
	retryMax      = 30 * time.Second
	retryToldMax  = 10 * time.Minute // a gateway may ask for a longer pause than ours, but not for any
)

// Room is what to listen to, and how.
type Room struct {
	Platform string   // tiktok, douyin ...
	Name     string   // an id, @name or link
	Since    string   // go on behind this cursor ...
	Last     int      // ... or begin with so many of the latest events
	Events   []string // only these types; all if empty
	Wait     bool     // stay while the room is not live
}

// ParseRoom reads "platform:room"; without a platform the room is TikTok's.
func ParseRoom(text string) Room {
	platform, name, found := strings.Cut(text, ":")
	if !found || strings.HasPrefix(name, "//") {
		return Room{Platform: "tiktok", Name: text}
	}
	return Room{Platform: platform, Name: name}
}

// Options of a Client; what is zero has a good default.
type Options struct {
	Lang    string        // of texts: zh, en
	Ping    time.Duration // between two signs of life, 20 s
	Timeout time.Duration // for opening, for one write, and for the answer to a ping, 10 s
}

// Client listens to rooms of one gateway, or of many behind one address.
type Client struct {
	url     string
	options Options

	mu     sync.Mutex
	random *rand.Rand
	leave  func()          // ends Run; nil before it
	conn   *websocket.Conn // nil while there is none
	rooms  []*subscription // in the order they were asked for
	ids    int             // of commands, so far
	heard  bool            // something real on this connection, so that the next one need not be delayed
	told   time.Duration   // how long the gateway wants us to stay away
	final  *frame          // why coming back makes no sense
}

// subscription is a Room whose Since moves along.
type subscription struct {
	Room
	id       string // of the command that asked for it
	asked    bool   // on this connection
	key      string // as the gateway writes what was asked for
	target   string // the canonical room, if that is another
	failures int    // in a row
}

func (s *subscription) canonical() string {
	if s.target != "" {
		return s.target
	}
	return s.key
}

func (s *subscription) place() Place {
	_, room, _ := strings.Cut(s.canonical(), ":")
	return Place{Platform: s.Platform, Asked: s.Name, Room: room}
}

// New makes a client for an address like ws://localhost:8000. It does nothing before Run.
func New(address string, options Options) *Client {
	if options.Lang == "" {
		options.Lang = "zh"
	}
	if options.Ping == 0 {
		options.Ping = 20 * time.Second
	}
	if options.Timeout == 0 {
		options.Timeout = 10 * time.Second
	}
	return &Client{
		url:     strings.TrimRight(address, "/") + "/ws?lang=" + url.QueryEscape(options.Lang),
		options: options,
		random:  rand.New(rand.NewSource(time.Now().UnixNano())),
	}
}

// Subscribe adds a room, before Run or at any time in it; not one that is there, or of more than 512 characters.
func (c *Client) Subscribe(room Room) error {
	if utf8.RuneCountInString(room.Name) > roomMax {
		return fmt.Errorf("a room has at most %d characters", roomMax)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.rooms {
		if s.Platform == room.Platform && s.Name == room.Name {
			return fmt.Errorf("already subscribed to %s:%s", room.Platform, room.Name)
		}
	}
	s := &subscription{Room: room}
	c.rooms = append(c.rooms, s)
	c.ask(s)
	return nil
}

// Unsubscribe gives a room up; after the last one Run returns.
func (c *Client) Unsubscribe(platform, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.rooms {
		if s.Platform == platform && s.Name == name {
			c.ids++
			c.send(command{Action: "unsubscribe", ID: c.ids, Platform: platform, Room: name})
			c.forget(s)
			return
		}
	}
}

// Run listens, and comes back after every loss, until all rooms are over; or until ctx is done, and then returns why.
// Messages are handled one after the other: who takes long is told less, see Dropped.
func (c *Client) Run(ctx context.Context, handle func(Message)) error {
	running, leave := context.WithCancel(ctx)
	defer leave()
	c.mu.Lock()
	c.leave = leave
	c.forget(nil)
	c.mu.Unlock()
	for attempt := 0; running.Err() == nil; attempt++ {
		err := c.serve(running, handle)
		if running.Err() != nil {
			break
		}
		c.mu.Lock()
		final := c.final
		if c.heard {
			attempt = 0
		}
		delay := c.delay(attempt, c.told)
		c.mu.Unlock()
		if final != nil {
			c.giveUp(final, handle)
			break
		}
		handle(&Lost{Err: err, Retry: delay})
		select {
		case <-time.After(delay):
		case <-running.Done():
		}
	}
	return ctx.Err()
}

// serve is one connection, from its opening to its loss.
func (c *Client) serve(ctx context.Context, handle func(Message)) error {
	c.mu.Lock()
	c.heard, c.told, c.final = false, 0, nil
	c.mu.Unlock()
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: c.options.Timeout}
	conn, _, err := dialer.DialContext(ctx, c.url, nil)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.SetReadLimit(frameMaxBytes)

	c.mu.Lock()
	c.conn = conn
	for _, s := range c.rooms {
		c.ask(s)
	}
	c.mu.Unlock()
	over := make(chan struct{})
	defer func() {
		close(over)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.conn = nil
		for _, s := range c.rooms {
			s.asked = false
		}
	}()
	go c.keepAlive(ctx, conn, over)

	for {
		// Each ping is answered, so that silence means that the connection is dead.
		if err := conn.SetReadDeadline(time.Now().Add(c.options.Ping + c.options.Timeout)); err != nil {
			return err
		}
		_, text, err := conn.ReadMessage()
		if err != nil {
			return err
		}
		if message := c.read(text); message != nil {
			handle(message)
		}
	}
}

// keepAlive pings until the connection is over, and takes leave when ctx is done.
func (c *Client) keepAlive(ctx context.Context, conn *websocket.Conn, over <-chan struct{}) {
	ticker := time.NewTicker(c.options.Ping)
	defer ticker.Stop()
	for {
		select {
		case <-over:
			return
		case <-ticker.C:
			c.say(map[string]string{"type": "ping"})
		case <-ctx.Done():
			c.say(map[string]string{"action": "close"})
			select {
			case <-over:
			case <-time.After(c.options.Timeout):
				conn.Close()
			}
			return
		}
	}
}

// giveUp tells of all rooms that they are over.
func (c *Client) giveUp(why *frame, handle func(Message)) {
	c.mu.Lock()
	rooms := c.rooms
	c.rooms = nil
	c.mu.Unlock()
	for _, s := range rooms {
		handle(&Over{Place: s.place(), Code: why.Code, Text: why.text(), Cursor: s.Since})
	}
}

// --- What follows is called with the mutex held, but for say and read -----------------------------------------------

// delay is how long to wait before an attempt: longer each time, never the same for all who wait, never less than told.
func (c *Client) delay(attempt int, told time.Duration) time.Duration {
	limit := retryMax
	if attempt < 6 {
		limit = retryMin << attempt
	}
	delay := limit/2 + time.Duration(c.random.Int63n(int64(limit/2)))
	if told > retryToldMax {
		told = retryToldMax
	}
	if told > delay {
		delay = told + time.Duration(c.random.Int63n(int64(retryMin)))
	}
	return delay
}

type command struct {
	Action   string   `json:"action"`
	ID       int      `json:"id"`
	Platform string   `json:"platform"`
	Room     string   `json:"room"`
	Since    string   `json:"since,omitempty"`
	Last     int      `json:"last,omitempty"`
	Events   []string `json:"events,omitempty"`
	Wait     bool     `json:"wait,omitempty"`
}

// ask subscribes at the gateway, behind what is known of the room already.
func (c *Client) ask(s *subscription) {
	if c.conn == nil || s.asked {
		return
	}
	c.ids++
	s.id, s.asked = fmt.Sprint(c.ids), true
	c.send(command{
		Action: "subscribe", ID: c.ids, Platform: s.Platform, Room: s.Name,
		Since: s.Since, Last: s.Last, Events: s.Events, Wait: s.Wait,
	})
}

func (c *Client) say(what interface{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.send(what)
}

func (c *Client) send(what interface{}) {
	if c.conn == nil {
		return
	}
	text, err := json.Marshal(what)
	if err == nil {
		err = c.conn.SetWriteDeadline(time.Now().Add(c.options.Timeout))
	}
	if err == nil {
		err = c.conn.WriteMessage(websocket.TextMessage, text)
	}
	if err != nil {
		c.conn.Close() // the reader learns it, and comes back
	}
}

func (c *Client) forget(gone *subscription) {
	kept := c.rooms[:0:0]
	for _, s := range c.rooms {
		if s != gone {
			kept = append(kept, s)
		}
	}
	c.rooms = kept
	if len(kept) == 0 && c.leave != nil {
		c.leave()
	}
}

// find gives the subscription that a frame answers, or whose room it names.
func (c *Client) find(f *frame) *subscription {
	key := f.Platform + ":" + f.Room
	for _, s := range c.rooms {
		if len(f.ID) > 0 && string(f.ID) == s.id {
			return s
		}
	}
	for _, s := range c.rooms {
		if s.asked && (s.key == key || s.target == key) {
			return s
		}
	}
	return nil
}
