package lint

// layer is what one package may import of this module and of others, besides
// the standard library, in code that is not a test.
type layer struct {
	imports  string // packages of this module, separated by blanks; "root" is the root
	external string // packages of other modules
	why      string
}

const (
	btree = "github.com/tidwall/btree"
	s2    = "github.com/klauspost/compress/s2"
	zstd  = "github.com/klauspost/compress/zstd"
	cron  = "github.com/robfig/cron/v3"
)

// layers is the table of docs/DESIGN.md: imports only go down. A package that
// is missing here fails the test, so a new one is put in its place on purpose.
// A name that ends in /... stands for all packages below.
var layers = map[string]layer{
	// 1: leaves. They know nothing of series.
	"vfs":               {why: "public; users implement it, so it drags nothing in"},
	"window":            {why: "public; useful without a store"},
	"expr":              {why: "public; expressions are plain values"},
	"internal/column":   {why: "vectors and bitmaps are what everything else speaks"},
	"internal/errs":     {why: "sentinels that every layer wraps"},
	"internal/clock":    {why: "the only place that reads time"},
	"internal/sorting":  {why: "one copy of sorting for what is seldom sorted"},
	"internal/logs":     {why: "log/slog, or package log where it is too heavy"},
	"internal/pattern":  {imports: "internal/errs", why: "names of series; refuses bad ones"},
	"internal/dispatch": {imports: "internal/errs internal/clock", why: "queues and workers, generic over what they carry"},

	// 2: one idea each, over vectors.
	"internal/codec":       {imports: "internal/column internal/errs", external: s2, why: "a vector as bytes; Reader takes fields off bytes that may be anything"},
	"internal/incremental": {imports: "internal/clock internal/errs", why: "which windows a change makes dirty; knows no store"},
	"internal/schedule":    {imports: "internal/clock internal/dispatch internal/errs", external: cron, why: "when runs are due; cron is a parser here and nowhere else"},
	"internal/crashfs":     {imports: "vfs", why: "test tool: a file system that loses power"},

	"internal/pack": {imports: "internal/errs", external: zstd, why: "zstd, for programs that ask for it: nothing below the root imports it"},

	// 3: chunks, the log, the names.
	"internal/block":   {imports: "internal/codec internal/column internal/errs", why: "a chunk: codecs, null bitmap, statistics"},
	"internal/wal":     {imports: "internal/clock internal/column internal/codec internal/errs internal/logs vfs", why: "records, not what they mean"},
	"internal/catalog": {imports: "internal/column internal/errs internal/pattern vfs", external: btree, why: "names, kinds and ids of series"},

	// 4: chunks in order, on disk and in memory.
	"internal/merge":    {imports: "internal/block internal/column internal/errs", why: "several sorted sources as one; the last write wins"},
	"internal/memtable": {imports: "internal/block internal/codec internal/column internal/errs internal/merge internal/sorting", why: "rows not yet in a file, sealed into chunks"},
	"internal/segment":  {imports: "internal/block internal/codec internal/column internal/errs internal/sorting vfs", why: "one immutable file of chunks"},

	// 5: the store, the queries, the delivery. They do not know one another.
	"internal/engine": {
		imports: "internal/block internal/catalog internal/clock internal/codec internal/column internal/errs " +
			"internal/logs internal/memtable internal/merge internal/pattern internal/segment internal/sorting internal/wal vfs",
		external: btree, why: "writes, flushes, compacts, recovers, reads",
	},
	"internal/exec": {
		imports: "expr internal/block internal/catalog internal/clock internal/column internal/errs internal/pattern internal/sorting window",
		why:     "reads the engine through an interface of its own, which the root connects",
	},
	"internal/deliver": {imports: "internal/clock internal/dispatch internal/errs", why: "carries bytes out; does not know events"},

	// 6: the root glues.
	"root": {
		imports: "expr internal/block internal/catalog internal/clock internal/codec internal/column internal/deliver internal/dispatch " +
			"internal/engine internal/errs internal/exec internal/incremental internal/logs internal/memtable internal/merge internal/pattern internal/schedule internal/segment internal/sorting internal/wal vfs window",
		external: btree, why: "the public API",
	},

	// 7: what is built on the root. The root imports none of it.
	"sink":                  {imports: "root internal/clock internal/deliver internal/errs vfs", why: "what all adapters share: rendering, errors, secrets"},
	"sink/internal/post":    {imports: "sink", why: "net/http stays here: addresses, headers, answers, no secret in errors"},
	"internal/lostletters":  {imports: "root sink tickwelltest", why: "test tool: a store that has lost dead letters, for nested modules"},
	"internal/selfsigned":   {why: "test tool: certificates, for nested modules too"},
	"sink/internal/standin": {why: "test tool: an HTTP server with a script"},
	"sink/webhook":          {imports: adapter + " sink/internal/post", why: "an HTTP request for an event"},
	"sink/slack":            {imports: adapter + " sink/internal/post", why: "a webhook with a form"},
	"sink/alertmanager":     {imports: adapter + " sink/internal/post", why: "a webhook with a form"},
	"sink/snowflake":        {imports: adapter + " sink/internal/post", why: "a webhook with a login"},
	"sink/local":            {imports: adapter, why: "back into a store"},
	"sink/jsonl":            {imports: adapter + " vfs", why: "lines into a writer or a file"},
	"alert":                 {imports: "root", why: "triggers that everyone writes by hand; nothing but the public API"},
	"zstd":                  {imports: "root internal/pack", why: "lets a store compress old blocks; links the coder"},
	"tickwelltest":          {imports: "root internal/clock internal/crashfs internal/deliver internal/errs expr vfs window sink", why: "what users' tests need"},
	"udflib":                {imports: "root expr window internal/column internal/errs", why: "functions, registered explicitly"},
	"iotsql":                {imports: "root expr window internal/clock internal/column internal/errs internal/pattern", why: "SQL to Go values; has no power of its own"},
	"iotsql/pages":          {imports: "root", why: "the example classes of the documents"},
	"iotsql/driver":         {imports: "root iotsql", why: "database/sql stays here"},
	"cmd/tickwell":          {imports: "root alert examples/chart expr iotsql iotsql/pages sink sink/... udflib vfs window zstd internal/clock internal/errs internal/pattern", why: "the command line"},
	"examples/chart":        {why: "pictures for examples and the command; knows no series"},
	"examples/...":          {imports: "root alert examples/chart expr iotsql sink sink/... tickwelltest udflib vfs window", why: "what users see: public packages only"},

	// Tests and tools in packages of their own.
	"internal/cqoracle": {why: "tests only: continuous queries the slow way, sharing nothing with the engine"},
	"internal/api":      {why: "tests only: the API as text"},
	"internal/lint":     {why: "tests only: this"},
	"internal/readme":   {why: "tests only: the pages"},
	"internal/seed":     {why: "tests only: the documents the project is built from"},
	"internal/sizegate": {why: "tests only: the size of programs"},
	"tools/...":         {why: "development tools, standard library only"},
}

// adapter is what every sink adapter may import.
const adapter = "root sink internal/clock internal/deliver internal/errs"

// core is what a program links that embeds the store.
var core = []string{"root", "expr", "window", "vfs", "iotsql"}

// coreNever is what the core must not link, with the reason.
var coreNever = map[string]string{
	"net/http":      "3 MB, and an attack surface; sinks that need it link it",
	"expvar":        "registers a handler with net/http",
	"text/template": "keeps all methods alive, so that the linker drops none",
	"html/template": "as text/template",
	"database/sql":  "only iotsql/driver needs it, and who imports that",
	"plugin":        "as text/template, and needs cgo",
	"testing":       "registers flags",
	"runtime/cgo":   "no cgo: the library cross-compiles",
	"os/exec":       "a library starts no programs",
	"os/signal":     "signals belong to the host",
}

// externalModules is what the module may require; testify in tests only.
var externalModules = []string{"github.com/tidwall/btree", "github.com/klauspost/compress", "github.com/robfig/cron/v3"}

// rule forbids names of a package outside some places.
type rule struct {
	pkg    string   // import path
	names  []string // the names it forbids; nil: importing the package at all
	except []string // or, when names is nil: the only names allowed
	where  string   // packages, as in layers, or single files where they may be used
	tests  bool     // holds in tests as well
	why    string
}

const programs = " cmd/tickwell examples/... tools/..."

var rules = []rule{
	{pkg: "os", where: "vfs" + programs, why: "all I/O goes through vfs, so that tests can crash it"},
	{pkg: "io/ioutil", why: "as os", tests: true},
	{pkg: "syscall", where: "vfs" + programs, why: "as os"},
	{pkg: "path/filepath", names: []string{"Walk", "WalkDir", "Glob", "EvalSymlinks", "Abs"}, where: "vfs" + programs, why: "they read the disk"},
	{pkg: "syscall", names: []string{"Mmap"}, why: "no mmap: a bad disk would be a signal", tests: true},
	{
		pkg: "time", names: []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"},
		where: "internal/clock window/clock.go internal/selfsigned" + programs, why: "all time goes through a clock, so that tests can move it",
	},
	{
		pkg: "context", names: []string{"WithTimeout", "WithDeadline", "WithTimeoutCause", "WithDeadlineCause"},
		where: "internal/clock" + programs + " sink/webhook sink/slack sink/alertmanager sink/snowflake tickwelltest",
		why:   "they use the real clock",
	},
	{pkg: "math/rand", except: seeded, where: programs, why: "all randomness comes from a seed", tests: true},
	{pkg: "math/rand/v2", except: seeded, where: programs, why: "all randomness comes from a seed", tests: true},
	{pkg: "crypto/rand", where: "root internal/selfsigned", why: "the identity of a new store is the only thing drawn by lot, beside keys of tests"},
	{pkg: "fmt", names: []string{"Print", "Printf", "Println", "Scan", "Scanf", "Scanln"}, where: programs, why: "standard output belongs to the host"},
	{pkg: "log", where: "internal/logs" + programs, why: "the host's logger is in Options"},
	{pkg: "log/slog", names: []string{"Debug", "Info", "Warn", "Error", "Log", "LogAttrs", "SetDefault"}, why: "the host's logger is in Options", where: programs, tests: true},
	{pkg: "testing", where: "tickwelltest internal/lostletters internal/selfsigned", why: "registers flags; tickwelltest is for tests"},
	{pkg: "github.com/stretchr/testify/require", why: "in tests only"},
	{pkg: "github.com/stretchr/testify/assert", why: "in tests only"},
}

// seeded is what may be used of the math/rand packages: what takes a seed.
var seeded = []string{"New", "NewSource", "NewPCG", "NewChaCha8", "NewZipf", "Rand", "Source", "PCG", "ChaCha8", "Zipf"}

// emptyWords are names that say nothing.
var emptyWords = []string{"util", "utils", "utility", "helper", "helpers", "manager", "managers", "common", "misc", "impl"}
