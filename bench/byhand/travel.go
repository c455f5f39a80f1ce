package byhand

import (
	"encoding/binary"
	"strconv"

	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
	"github.com/onefold/onefold/testdata/apps/travel/gen/frontend"
	"github.com/onefold/onefold/testdata/apps/travel/gen/hotel"
	"github.com/onefold/onefold/testdata/apps/travel/gen/order"
)

func addHotel(t *tx, in *codec.Args) ([]byte, error) {
	hotelID := codec.Arg(in, "hotelID", codec.String)
	capacity := codec.Arg(in, "capacity", codec.Int)
	if err := in.Err(); err != nil {
		return nil, err
	}
	at := key("rooms", hotelID)
	room, _, err := load(t, at, hotel.RoomCodec)
	if err != nil {
		return nil, err
	}
	room.Capacity = capacity
	return []byte("null"), save(t, at, hotel.RoomCodec, room)
}

func room(t *tx, in *codec.Args) ([]byte, error) {
	hotelID := codec.Arg(in, "hotelID", codec.String)
	if err := in.Err(); err != nil {
		return nil, err
	}
	room, ok, err := load(t, key("rooms", hotelID), hotel.RoomCodec)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, hotel.ErrUnknown
	}
	return hotel.RoomCodec.AppendJSON(nil, &room)
}

func addFlight(t *tx, in *codec.Args) ([]byte, error) {
	flightID := codec.Arg(in, "flightID", codec.String)
	seats := codec.Arg(in, "seats", codec.Int)
	if err := in.Err(); err != nil {
		return nil, err
	}
	return []byte("null"), save(t, key("seats", flightID), codec.Int, seats)
}

func book(t *tx, in *codec.Args) ([]byte, error) {
	user := codec.Arg(in, "user", codec.String)
	hotelID := codec.Arg(in, "hotelID", codec.String)
	flightID := codec.Arg(in, "flightID", codec.String)
	if err := in.Err(); err != nil {
		return nil, err
	}
	err := t.both(
		func(t *tx) error { _, err := t.call("Hotel", "Reserve", hotelID, user); return err },
		func(t *tx) error { _, err := t.call("Flight", "Reserve", flightID, user); return err },
	)
	if err != nil {
		return nil, err
	}
	return t.call("Orders", "Place", user, hotelID, flightID)
}

func placeOrder(t *tx, args []string) ([]byte, error) {
	user := args[0]
	lengthKey := key("placed", "length")
	length, _, err := load(t, lengthKey, codec.Int)
	if err != nil {
		return nil, err
	}
	id := length + 1
	placed := order.Order{ID: id, User: user, Hotel: args[1], Flight: args[2]}
	if err := save(t, lengthKey, codec.Int, id); err != nil {
		return nil, err
	}
	if err := save(t, tuple.AppendInt(key("placed", "elements"), int64(length)), order.OrderCodec, placed); err != nil {
		return nil, err
	}
	ids := codec.Slice(codec.Int)
	mine, _, err := load(t, key("byUser", user), ids)
	if err != nil {
		return nil, err
	}
	if err := save(t, key("byUser", user), ids, append(mine, id)); err != nil {
		return nil, err
	}
	return strconv.AppendInt(nil, int64(id), 10), nil
}

func reserveRoom(t *tx, args []string) ([]byte, error) {
	hotelID, user := args[0], args[1]
	at := key("rooms", hotelID)
	room, ok, err := load(t, at, hotel.RoomCodec)
	if err != nil {
		return nil, err
	}
	if !ok || room.Capacity == 0 {
		return nil, frontend.ErrFull
	}
	room.Capacity--
	room.Guests = append(room.Guests, user)
	t.ops = append(t.ops, store.Op{Kind: store.Add, Key: key("total", ""), Value: binary.LittleEndian.AppendUint64(nil, 1)})
	return nil, save(t, at, hotel.RoomCodec, room)
}

func reserveSeat(t *tx, args []string) ([]byte, error) {
	flightID, user := args[0], args[1]
	at := key("seats", flightID)
	seats, _, err := load(t, at, codec.Int)
	if err != nil {
		return nil, err
	}
	if seats == 0 {
		return nil, frontend.ErrFull
	}
	users := codec.Slice(codec.String)
	taken, _, err := load(t, key("taken", flightID), users)
	if err != nil {
		return nil, err
	}
	if err := save(t, key("taken", flightID), users, append(taken, user)); err != nil {
		return nil, err
	}
	return nil, save(t, at, codec.Int, seats-1)
}
