package invoke

import "testing"

func TestHashArgs(t *testing.T) {
	const base = `{"hotelID":"h 1","n":[1,{"a":"}"}]}`
	for _, same := range []string{
		` { "hotelID" : "h 1" , "n" : [ 1 , { "a" : "}" } ] } `,
		"{\"n\":[1,{\"a\":\"}\"}],\n\t\"hotelID\":\"h 1\"}",
	} {
		if hashArgs([]byte(same)) != hashArgs([]byte(base)) {
			t.Errorf("%s and %s differ", same, base)
		}
	}
	seen := map[uint64]string{}
	for _, s := range []string{
		base,
		`{}`,
		`{"a":""}`,
		`{"a":" "}`,
		`{"a":"\""}`,
		`{"a":"\\"}`,
		`{"a":1}`,
		`{"a":12}`,
		`{"a":1,"b":2}`,
		`{"a":2,"b":1}`,
		`{"a":[1,2]}`,
		`{"a":[2,1]}`,
		`{"a":{"b":1,"c":2}}`,
		`{"a":"b,c"}`,
		`{"a":"b","c":""}`,
		`{"hotelID":"h1","n":[1,{"a":"}"}]}`,
	} {
		if other, dup := seen[hashArgs([]byte(s))]; dup {
			t.Errorf("%s and %s have one hash", s, other)
		}
		seen[hashArgs([]byte(s))] = s
	}
}

// The hashes are in stored records, so they may not change from release to release.
func TestHashesAreStable(t *testing.T) {
	if got, want := hashString("Hotel.Reserve"), uint64(0xf3d43392b78b5427); got != want {
		t.Errorf("hashString = %#x, want %#x", got, want)
	}
	if got, want := hashArgs([]byte(`{"a":1,"b":[true]}`)), uint64(0xb2bfdb9aaa2a8648); got != want {
		t.Errorf("hashArgs = %#x, want %#x", got, want)
	}
}
