// Package castinfo knows actors.
package castinfo

import "context"

// An ActorID identifies an actor.
type ActorID int32

// Actor is who played in movies.
type Actor struct {
	Name   string `json:"name"`
	Female bool   `json:"female"`
	Intro  string `json:"intro"`
}

// CastInfo keeps actors.
//
//onefold:service
type CastInfo struct {
	actors map[ActorID]Actor
}

// NewCastInfo returns a CastInfo that knows nobody.
func NewCastInfo() *CastInfo {
	return &CastInfo{actors: map[ActorID]Actor{}}
}

// Write sets what is known of an actor.
func (c *CastInfo) Write(ctx context.Context, id ActorID, actor Actor) error {
	c.actors[id] = actor
	return nil
}

// Read returns those of the actors that are known, in the order of the ids.
func (c *CastInfo) Read(ctx context.Context, ids []ActorID) ([]Actor, error) {
	var cast []Actor
	for _, id := range ids {
		if actor, ok := c.actors[id]; ok {
			cast = append(cast, actor)
		}
	}
	return cast, nil
}
