package boltdb

// RoomFor is what a copy asks for before it begins.
var RoomFor = roomFor
