package roomcast

import "encoding/json"

// Common is what every event has. Fields that an event does not carry are empty.
type Common struct {
	Type     string `json:"type"`
	Platform string `json:"platform"`
	Room     string `json:"room"`   // the canonical room, also for those who asked by name
	ID       string `json:"id"`     // the platform's; empty on events that it did not send
	Cursor   string `json:"cursor"` // the place in the room's log; see Room.Since
	Time     int64  `json:"time"`   // milliseconds since 1970
	History  bool   `json:"history"`

	// JSON is the event as it came, with all that these types leave out.
	JSON json.RawMessage `json:"-"`
}

// Event is any event; its fields are in the types that embed Common.
type Event interface {
	Message
	Base() *Common
}

// Base gives what all events have.
func (c *Common) Base() *Common { return c }

func (c *Common) isMessage() {}

// Badge is a mark beside a name.
type Badge struct {
	Kind  string `json:"kind"`
	Level int    `json:"level"`
	Text  string `json:"text"`
	Image string `json:"image"`
}

// User is a person. Of a Masked one the ID is shared by many.
type User struct {
	ID        string   `json:"id"`
	UniqueID  string   `json:"unique_id"` // the @handle
	Nickname  string   `json:"nickname"`
	Avatar    string   `json:"avatar"`
	Roles     []string `json:"roles"`
	Badges    []Badge  `json:"badges"`
	Level     int      `json:"level"`
	FansLevel int      `json:"fans_level"`
	FansClub  string   `json:"fans_club"`
	Masked    bool     `json:"masked"`
}

// Chat is something a viewer said.
type Chat struct {
	Common
	User    User   `json:"user"`
	Content string `json:"content"`
	Lang    string `json:"lang"`
}

// Gift is a press of a gift. The sum of Delta is the number of gifts, the sum of Diamonds their value.
type Gift struct {
	Common
	User User `json:"user"`
	Gift struct {
		ID           string `json:"id"`
		Name         string `json:"name"`
		DiamondCount int64  `json:"diamond_count"`
		Combo        bool   `json:"combo"`
		Image        string `json:"image"`
	} `json:"gift"`
	Delta    int64 `json:"delta"`
	Total    int64 `json:"total"` // of the streak so far
	Diamonds int64 `json:"diamonds"`
	Final    bool  `json:"final"` // the streak is over
	ToUser   *User `json:"to_user"`
}

// Like is a batch of likes of one viewer.
type Like struct {
	Common
	User           User  `json:"user"`
	LikeCount      int64 `json:"like_count"`
	TotalLikeCount int64 `json:"total_like_count"`
}

// Member is a viewer who comes, leaves, or is made or unmade something; see Action.
type Member struct {
	Common
	User        User   `json:"user"`
	MemberCount int64  `json:"member_count"`
	Action      string `json:"action"`
	Operator    *User  `json:"operator"`
}

// Social is a follow or a share; see Type.
type Social struct {
	Common
	User        User  `json:"user"`
	FollowCount int64 `json:"follow_count"`
	ShareCount  int64 `json:"share_count"`
}

// RoomStats are the room's numbers.
type RoomStats struct {
	Common
	ViewerCount int64 `json:"viewer_count"`
	TotalUser   int64 `json:"total_user"`
	Top         []struct {
		Rank  int   `json:"rank"`
		Score int64 `json:"score"`
		User  User  `json:"user"`
	} `json:"top"`
}

// LiveStatus says that the broadcast is live or paused. Without Gifts this session is not told any.
type LiveStatus struct {
	Common
	LiveStatus struct {
		State string `json:"state"`
		Title string `json:"title"`
		Owner *User  `json:"owner"`
		Gifts bool   `json:"gifts"`
	} `json:"live_status"`
}

// Ended is the last event of a broadcast. An Over follows, unless the room is waited for.
type Ended struct {
	Common
	Ended struct {
		Reason string `json:"reason"`
		Text   string `json:"text"`
	} `json:"ended"`
}

// Other is any other event, also of types that only a newer gateway knows: read what it has from JSON.
type Other struct{ Common }

// newEvent gives what an event of a type is decoded into.
func newEvent(kind string) Event {
	switch kind {
	case "chat":
		return &Chat{}
	case "gift":
		return &Gift{}
	case "like":
		return &Like{}
	case "member":
		return &Member{}
	case "follow", "share":
		return &Social{}
	case "room_stats":
		return &RoomStats{}
	case "live_status":
		return &LiveStatus{}
	case "ended":
		return &Ended{}
	}
	return &Other{}
}
