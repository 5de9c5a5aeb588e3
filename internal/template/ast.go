package template

// The nodes of an expression. at is the byte offset in the text.
type (
	literal struct{ value any }
	name    struct {
		name string
		at   int
	}
	attribute struct { // x.name, and x['name']
		of   expr
		name string
		at   int
	}
	item struct { // x[key]
		of, key expr
		at      int
	}
	slice struct { // x[from:to:step]
		of, from, to, step expr // nil if left out
		at                 int
	}
	call struct { // f(args) and x.method(args)
		fn   expr
		args []expr
		kw   []keyword
		at   int
	}
	filter struct {
		of   expr
		name string
		args []expr
		kw   []keyword
		at   int
	}
	test struct { // x is name(args)
		of   expr
		name string
		args []expr
		kw   []keyword
		not  bool
		at   int
	}
	unary struct {
		op string
		x  expr
		at int
	}
	binary struct {
		op   string
		x, y expr
		at   int
	}
	comparison struct { // a < b <= c
		first expr
		ops   []string
		rest  []expr
		at    int
	}
	choice struct{ then, cond, otherwise expr } // otherwise may be nil
	list   struct{ items []expr }
	dict   struct {
		keys, values []expr
		at           int
	}
)

type keyword struct {
	name  string
	value expr
}

// expr is one of the nodes above.
type expr interface{}

// The nodes of a text.
type (
	textNode   struct{ text string }
	outputNode struct{ x expr }
	ifNode     struct {
		conds  []expr
		bodies [][]stmt // one more than conds if there is an else
	}
	forNode struct {
		names      []string
		in, filter expr // filter may be nil
		body, none []stmt
		at         int
	}
	setNode struct {
		names []string
		x     expr
		body  []stmt // of a block; x is nil then
		at    int
	}
)

// stmt is one of the nodes of a text.
type stmt interface{}
