// Command watch prints what happens in live rooms:
//
//	go run ./cmd/watch --lang en ws://localhost:8000 tiktok:@demo douyin:728804746624
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
	"unicode"

	"roomcast"
)

func main() {
	asJSON := flag.Bool("json", false, "print each event that has a cursor as one line of JSON")
	lang := flag.String("lang", "en", "language of texts: zh, en")
	events := flag.String("events", "", "only these types, with commas between")
	last := flag.Int("last", 0, "begin with so many of the latest events")
	wait := flag.Bool("wait", false, "stay while a room is not live")
	ping := flag.Float64("ping", 20, "seconds between two signs of life")
	timeout := flag.Float64("timeout", 10, "seconds for opening, and for the answer to a ping")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: watch [options] ADDRESS ROOM...")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() < 2 {
		flag.Usage()
		os.Exit(2)
	}

	client := roomcast.New(flag.Arg(0), roomcast.Options{Lang: *lang, Ping: seconds(*ping), Timeout: seconds(*timeout)})
	for _, name := range flag.Args()[1:] {
		room := roomcast.ParseRoom(name)
		room.Last, room.Wait = *last, *wait
		if *events != "" {
			room.Events = strings.Split(*events, ",")
		}
		if err := client.Subscribe(room); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	_ = client.Run(ctx, func(message roomcast.Message) { show(message, *asJSON) })
}

func seconds(number float64) time.Duration { return time.Duration(number * float64(time.Second)) }

func show(message roomcast.Message, asJSON bool) {
	event, isEvent := message.(roomcast.Event)
	switch {
	case !isEvent:
		fmt.Fprintln(os.Stderr, printable(notice(message)))
	case !asJSON:
		if line := sentence(event); line != "" {
			fmt.Println(event.Base().Room, printable(line))
		}
	case event.Base().Cursor != "":
		fmt.Println(string(event.Base().JSON))
	}
}

func sentence(event roomcast.Event) string {
	switch e := event.(type) {
	case *roomcast.Chat:
		return e.User.Nickname + ": " + e.Content
	case *roomcast.Gift:
		if e.Delta > 0 {
			return fmt.Sprintf("%s gives %d x %s", e.User.Nickname, e.Delta, e.Gift.Name)
		}
	case *roomcast.Social:
		return e.User.Nickname + ": " + e.Type
	case *roomcast.RoomStats:
		return fmt.Sprintf("%d viewers", e.ViewerCount)
	}
	return ""
}

func notice(message roomcast.Message) string {
	switch m := message.(type) {
	case *roomcast.Status:
		return fmt.Sprintf("%s %s: %s", where(m.Place), m.Status, m.Text)
	case *roomcast.Problem:
		return fmt.Sprintf("%s problem %s: %s %s", where(m.Place), m.Code, m.Text, m.Detail)
	case *roomcast.Recovered:
		return fmt.Sprintf("%s recovered complete=%t count=%d", where(m.Place), m.Complete, m.Count)
	case *roomcast.Gap:
		return fmt.Sprintf("%s gap %s: %s to %s", where(m.Place), m.Reason, m.After, m.Before)
	case *roomcast.Dropped:
		return fmt.Sprintf("%s dropped %d", where(m.Place), m.Count)
	case *roomcast.Over:
		return fmt.Sprintf("%s over %s: %s", where(m.Place), m.Code, m.Text)
	case *roomcast.Lost:
		return fmt.Sprintf("connection lost, next try in %d ms: %v", m.Retry.Milliseconds(), m.Err)
	}
	return ""
}

func where(place roomcast.Place) string {
	if place.Asked == "" {
		return "connection"
	}
	return place.Platform + ":" + place.Asked
}

// printable takes out what would steer the terminal: names and texts are strangers'.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return -1
	}, text)
}
