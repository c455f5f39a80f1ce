package suite_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/runtime"

	bankaccount "github.com/onefold/onefold/testdata/apps/bank/account"
	bankaudit "github.com/onefold/onefold/testdata/apps/bank/audit"
	bankgen "github.com/onefold/onefold/testdata/apps/bank/gen"
	bankteller "github.com/onefold/onefold/testdata/apps/bank/teller"
	counterchain "github.com/onefold/onefold/testdata/apps/counter/chain"
	countercounter "github.com/onefold/onefold/testdata/apps/counter/counter"
	countergen "github.com/onefold/onefold/testdata/apps/counter/gen"
	countertree "github.com/onefold/onefold/testdata/apps/counter/tree"
	mediacast "github.com/onefold/onefold/testdata/apps/media/castinfo"
	mediacompose "github.com/onefold/onefold/testdata/apps/media/composereview"
	mediafrontend "github.com/onefold/onefold/testdata/apps/media/frontend"
	mediagen "github.com/onefold/onefold/testdata/apps/media/gen"
	mediamovieid "github.com/onefold/onefold/testdata/apps/media/movieid"
	mediamovieinfo "github.com/onefold/onefold/testdata/apps/media/movieinfo"
	mediamoviereview "github.com/onefold/onefold/testdata/apps/media/moviereview"
	mediapage "github.com/onefold/onefold/testdata/apps/media/page"
	mediaplot "github.com/onefold/onefold/testdata/apps/media/plot"
	mediarating "github.com/onefold/onefold/testdata/apps/media/rating"
	mediastorage "github.com/onefold/onefold/testdata/apps/media/reviewstorage"
	mediatext "github.com/onefold/onefold/testdata/apps/media/text"
	mediauniqueid "github.com/onefold/onefold/testdata/apps/media/uniqueid"
	mediauser "github.com/onefold/onefold/testdata/apps/media/user"
	mediauserreview "github.com/onefold/onefold/testdata/apps/media/userreview"
	shopcart "github.com/onefold/onefold/testdata/apps/shop/cart"
	shopcatalog "github.com/onefold/onefold/testdata/apps/shop/catalog"
	shopcheckout "github.com/onefold/onefold/testdata/apps/shop/checkout"
	shopgen "github.com/onefold/onefold/testdata/apps/shop/gen"
	shopstock "github.com/onefold/onefold/testdata/apps/shop/stock"
	shortcompose "github.com/onefold/onefold/testdata/apps/shortener/compose"
	shortgen "github.com/onefold/onefold/testdata/apps/shortener/gen"
	shortshorten "github.com/onefold/onefold/testdata/apps/shortener/shorten"
	socialfrontend "github.com/onefold/onefold/testdata/apps/social/frontend"
	socialgen "github.com/onefold/onefold/testdata/apps/social/gen"
	socialgraph "github.com/onefold/onefold/testdata/apps/social/graph"
	socialpost "github.com/onefold/onefold/testdata/apps/social/post"
	socialtimeline "github.com/onefold/onefold/testdata/apps/social/timeline"
	socialuser "github.com/onefold/onefold/testdata/apps/social/user"
	listsfrontend "github.com/onefold/onefold/testdata/apps/threelists/frontend"
	listsgen "github.com/onefold/onefold/testdata/apps/threelists/gen"
	listslist "github.com/onefold/onefold/testdata/apps/threelists/list"
	travelflight "github.com/onefold/onefold/testdata/apps/travel/flight"
	travelfrontend "github.com/onefold/onefold/testdata/apps/travel/frontend"
	travelgen "github.com/onefold/onefold/testdata/apps/travel/gen"
	travelhotel "github.com/onefold/onefold/testdata/apps/travel/hotel"
	travelorder "github.com/onefold/onefold/testdata/apps/travel/order"
)

// application is one of testdata/apps.
type application struct {
	name     string
	plain    []any // constructors
	compiled func() *runtime.App
	steps    int // of Differential; 0 is its default
	opts     onefoldtest.Options
}

type (
	generators = onefoldtest.Generators
	requests   = []onefoldtest.Request
)

var (
	oneOf   = onefoldtest.OneOf
	between = onefoldtest.Between
)

// applications are all of them.
var applications = []application{
	{
		name:     "travel",
		plain:    []any{travelfrontend.NewFrontend, travelhotel.NewHotel, travelflight.NewFlight, travelorder.NewOrders},
		compiled: travelgen.App,
		opts: onefoldtest.Options{
			Weights: map[string]int{"Frontend.Book": 4},
			Scenario: requests{
				{Method: "Hotel.Add", Args: `{"hotelID":"a","capacity":2}`},
				{Method: "Flight.Add", Args: `{"flightID":"a","seats":1}`},
				{Method: "Frontend.Book", Args: `{"user":"ann","hotelID":"a","flightID":"a"}`},
				{Method: "Frontend.Book", Args: `{"user":"bob","hotelID":"a","flightID":"a"}`},
				{Method: "Hotel.Room", Args: `{"hotelID":"a"}`},
				{Method: "Hotel.Room", Args: `{"hotelID":"b"}`},
				{Method: "Orders.Of", Args: `{"user":"ann"}`},
			},
		},
	},
	{
		name: "counter",
		plain: []any{countercounter.NewCounter, counterchain.NewFirst, counterchain.NewSecond,
			countertree.NewTree, countertree.NewLeft, countertree.NewRight},
		compiled: countergen.App,
		opts: onefoldtest.Options{
			Scenario: requests{
				{Method: "First.Increment", Args: `{"key":"a"}`},
				{Method: "Counter.Hit", Args: `{"key":"a"}`},
				{Method: "Tree.Increment", Args: `{"key":"a"}`},
				{Method: "Counter.Reset", Args: `{"key":"a"}`},
				{Method: "Counter.Reset", Args: `{"key":"a"}`},
				{Method: "First.Echo", Args: `{"text":"hi"}`},
			},
		},
	},
	{
		name:     "threelists",
		plain:    []any{listsfrontend.NewFrontend, listslist.NewFirst, listslist.NewSecond},
		compiled: listsgen.App,
		opts: onefoldtest.Options{
			Generators: generators{
				"value":  oneOf(5, 9, 10, 42, 100, 101),
				"values": func(r *rand.Rand) any { return pick(r, 3, 0, 5, 10, 42, 101) },
				"limit":  oneOf(42, 100),
			},
			Weights: map[string]int{"Frontend.Append": 3, "Frontend.TryAppend": 3, "Frontend.AppendAll": 3},
			Scenario: requests{
				{Method: "Frontend.Append", Args: `{"value":42}`},
				{Method: "Frontend.Append", Args: `{"value":5}`},
				{Method: "Frontend.Append", Args: `{"value":101}`},
				{Method: "Frontend.TryAppend", Args: `{"value":5}`},
				{Method: "Frontend.AppendAll", Args: `{"values":[10,101,11]}`},
				{Method: "Frontend.AppendAll", Args: `{"values":[10,0]}`},
				{Method: "Frontend.Lists", Args: `{}`},
			},
		},
	},
	{
		name:     "shortener",
		plain:    []any{shortcompose.NewComposer, shortshorten.NewShortener},
		compiled: shortgen.App,
		opts: onefoldtest.Options{
			Generators: generators{
				"url":   oneOf("http://a", "https://b", "http://c"),
				"short": oneOf("100", "101", "102", "zz"),
				"text":  oneOf("", "no link", "http://a and https://b", " http://c  http://c "),
			},
			Scenario: requests{
				{Method: "Shortener.Shorten", Args: `{"url":"http://a"}`},
				{Method: "Shortener.Shorten", Args: `{"url":"http://a"}`},
				{Method: "Composer.Compose", Args: `{"author":"ann","text":"see http://b and http://a"}`},
				{Method: "Shortener.Resolve", Args: `{"short":"101"}`},
				{Method: "Shortener.Resolve", Args: `{"short":"zz"}`},
				{Method: "Shortener.Forget", Args: `{"url":"http://a"}`},
				{Method: "Composer.Latest", Args: `{"n":2}`},
			},
		},
	},
	{
		name:     "social",
		plain:    []any{socialfrontend.NewNetwork, socialuser.NewUsers, socialgraph.NewGraph, socialpost.NewPosts, socialtimeline.NewTimelines},
		compiled: socialgen.App,
		opts: onefoldtest.Options{
			Weights: map[string]int{"Network.Join": 4, "Network.Follow": 4, "Network.Write": 4, "Network.Read": 2, "Network.Like": 2, "Network.Unfollow": 2, "Network.Remove": 2},
			Scenario: requests{
				{Method: "Network.Join", Args: `{"name":"ann","follow":null}`},
				{Method: "Network.Join", Args: `{"name":"bob","follow":["ann"]}`},
				{Method: "Network.Join", Args: `{"name":"cid","follow":["ann","zoe"]}`},
				{Method: "Network.Write", Args: `{"author":"ann","text":"hello"}`},
				{Method: "Network.Like", Args: `{"name":"bob","id":1}`},
				{Method: "Network.Read", Args: `{"name":"bob"}`},
				{Method: "Network.Unfollow", Args: `{"name":"bob","other":"ann"}`},
				{Method: "Network.Remove", Args: `{"name":"ann","id":1}`},
			},
		},
	},
	{
		name:     "bank",
		plain:    []any{bankteller.NewTeller, bankaccount.NewAccounts, bankaudit.NewLog},
		compiled: bankgen.App,
		opts: onefoldtest.Options{
			Generators: generators{"cents": oneOf(-1, 0, 1, 2, 5)},
			Weights:    map[string]int{"Accounts.Open": 3, "Accounts.Deposit": 5, "Teller.Transfer": 4, "Teller.Batch": 4},
			Scenario: requests{
				{Method: "Accounts.Open", Args: `{"id":"a","owner":"ann"}`},
				{Method: "Accounts.Open", Args: `{"id":"b","owner":"bob"}`},
				{Method: "Accounts.Deposit", Args: `{"id":"a","cents":10}`},
				{Method: "Teller.Transfer", Args: `{"from":"a","to":"b","cents":4}`},
				{Method: "Teller.Transfer", Args: `{"from":"a","to":"b","cents":40}`},
				{Method: "Teller.Batch", Args: `{"strict":false,"transfers":[{"from":"a","to":"b","cents":5},{"from":"a","to":"b","cents":5},{"from":"b","to":"a","cents":1}]}`},
				{Method: "Teller.Batch", Args: `{"strict":true,"transfers":[{"from":"a","to":"b","cents":1},{"from":"a","to":"b","cents":5}]}`},
				{Method: "Accounts.Freeze", Args: `{"id":"b","frozen":true}`},
				{Method: "Teller.Transfer", Args: `{"from":"a","to":"b","cents":1}`},
				{Method: "Log.Trim", Args: `{"n":1}`},
				{Method: "Teller.Audit", Args: `{"accounts":["a"]}`},
			},
		},
	},
	{
		name: "media",
		plain: []any{mediacast.NewCastInfo, mediacompose.NewComposeReview, mediafrontend.NewFrontend, mediamovieid.NewMovieIDs,
			mediamovieinfo.NewMovieInfo, mediamoviereview.NewMovieReviews, mediapage.NewPages, mediaplot.NewPlot, mediarating.NewRating,
			mediastorage.NewReviewStorage, mediatext.NewText, mediauniqueid.NewUniqueID, mediauser.NewUsers, mediauserreview.NewUserReviews},
		compiled: mediagen.App,
		steps:    400,
		opts: onefoldtest.Options{
			Generators: generators{
				"stars":    between(0, 5),
				"password": oneOf("secret", "secret", "secret", "guess"),
				"info": func(r *rand.Rand) any {
					return map[string]any{"title": pick(r, 1, "a", "b")[0], "year": 1979, "cast": []any{map[string]any{"character": "x", "actor": r.IntN(3)}}, "links": nil, "country": [2]string{"uk", "us"}}
				},
			},
			Weights:  map[string]int{"Frontend.AddMovie": 6, "Frontend.Register": 6, "Frontend.Compose": 10, "Frontend.Movie": 3, "Frontend.ReviewsBy": 3},
			Random:   []string{"Users.members", "Users.logins", "Users.Login"},
			AnyError: []string{"ComposeReview.Compose"},
			Scenario: requests{
				{Method: "Frontend.Register", Args: `{"name":"a","password":"secret"}`},
				{Method: "Frontend.AddMovie", Args: `{"id":"m","info":{"title":"a","year":1979,"cast":[{"character":"x","actor":1}],"links":null,"country":["uk","us"]},"cast":[{"name":"w","female":true,"intro":""}],"summary":"quiet"}`},
				{Method: "Frontend.Compose", Args: `{"name":"a","password":"secret","title":"a","stars":4,"text":" very  good "}`},
				{Method: "Frontend.Compose", Args: `{"name":"a","password":"guess","title":"a","stars":4,"text":"good"}`},
				{Method: "Frontend.Compose", Args: `{"name":"a","password":"secret","title":"b","stars":4,"text":"good"}`},
				{Method: "Frontend.Movie", Args: `{"title":"a"}`},
				{Method: "Frontend.ReviewsBy", Args: `{"name":"a"}`},
			},
		},
	},
	{
		name:     "shop",
		plain:    []any{shopcheckout.NewCheckout, shopcatalog.NewCatalog, shopstock.NewStock, shopcart.NewCarts},
		compiled: shopgen.App,
		steps:    600,
		opts: onefoldtest.Options{
			Generators: generators{
				"types.SKU":     oneOf("a", "b", "c"),
				"customer":      oneOf("ann", "bob"),
				"count":         between(1, 4),
				"price":         oneOf(0, 100, 250),
				"warehouse":     between(1, 2),
				"age":           oneOf(0, 3_600_000_000_000),
				"percent":       oneOf(0, 10, 50),
				"axis":          between(-1, 3),
				"month":         between(1, 3),
				"Stock.Note.id": between(1, 4), "Stock.Release.id": between(1, 4), "Checkout.Cancel.id": between(1, 3),
			},
			Weights: map[string]int{"Checkout.Restock": 5, "Checkout.Add": 5, "Checkout.Buy": 4, "Checkout.BuyWhatYouCan": 3, "Catalog.Put": 3, "Stock.Receive": 3, "Stock.Reserve": 3, "Carts.Add": 2},
			Scenario: requests{
				{Method: "Checkout.Restock", Args: `{"sku":"a","price":100,"count":3}`},
				{Method: "Catalog.Put", Args: `{"sku":"b","price":50,"tags":["old","x"]}`},
				{Method: "Checkout.Add", Args: `{"customer":"ann","sku":"a","count":2}`},
				{Method: "Checkout.Add", Args: `{"customer":"ann","sku":"b","count":1}`},
				{Method: "Checkout.Buy", Args: `{"customer":"ann"}`},
				{Method: "Checkout.BuyWhatYouCan", Args: `{"customer":"ann"}`},
				{Method: "Catalog.Describe", Args: `{"sku":"a","language":"en","text":"pen","axis":1,"millimetres":140}`},
				{Method: "Catalog.Swap", Args: `{"a":"a","b":"b"}`},
				{Method: "Catalog.Rename", Args: `{"from":"a","to":"c"}`},
				{Method: "Catalog.Remove", Args: `{"sku":"c"}`},
				{Method: "Stock.Correct", Args: `{"i":0,"counts":[5,6]}`},
				{Method: "Stock.ReleaseAll", Args: `{"upTo":9}`},
				{Method: "Stock.Undo", Args: `{"n":1}`},
				{Method: "Catalog.Feature", Args: `{"place":3,"sku":"a"}`},
				{Method: "Checkout.Look", Args: `{"sku":"b"}`},
				{Method: "Stock.Clear", Args: `{}`},
			},
		},
	},
}

// TestAllApplications sees that the suites leave none out.
func TestAllApplications(t *testing.T) {
	var want, got []string
	dirs, err := os.ReadDir("../../testdata/apps")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range dirs {
		if _, err := os.Stat(filepath.Join("../../testdata/apps", d.Name(), "gen")); err == nil {
			want = append(want, d.Name())
		}
	}
	for _, app := range applications {
		got = append(got, app.name)
	}
	for _, app := range workflowApplications {
		got = append(got, app.name)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("applications (-testdata/apps +suites):\n%s", diff)
	}
}

// pick returns up to n of the values, any of them more than once, but one at least.
func pick(r *rand.Rand, n int, values ...any) []any {
	picked := make([]any, 1+r.IntN(n))
	for i := range picked {
		picked[i] = values[r.IntN(len(values))]
	}
	return picked
}

// overAll runs a suite over all applications: with a fixed seed, and with random ones.
func overAll(t *testing.T, suite func(t *testing.T, app application, plain *onefoldtest.App, opts onefoldtest.Options)) {
	for _, app := range applications {
		t.Run(app.name, func(t *testing.T) {
			for _, seed := range seeds(t) {
				t.Run("", func(t *testing.T) {
					opts := app.opts
					opts.Seed = seed
					suite(t, app, onefoldtest.New(t, app.plain...), opts)
				})
			}
		})
	}
}

// seeds returns the seeds to try; 0 is a random one. In short mode there is one.
func seeds(t *testing.T) []uint64 {
	if testing.Short() {
		return []uint64{1}
	}
	if seed := number(t, "ONEFOLD_SEED", 0); seed != 0 {
		return []uint64{seed}
	}
	return append([]uint64{1}, make([]uint64, number(t, "ONEFOLD_SOAK", 1))...)
}

// number returns the number in an environment variable.
func number(t *testing.T, name string, otherwise uint64) uint64 {
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
