package catalog

type Set struct{}
