package main

import (
	"bytes"
	"os"
	"testing"
)

func TestTheListOfDependenciesIsUpToDate(t *testing.T) {
	var now bytes.Buffer
	if err := list("../..", &now); err != nil {
		t.Fatal(err)
	}
	listed, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(listed, now.Bytes()) {
		t.Error("docs/dependencies.md is not what the programs are made of: make licences")
	}
}

func TestAModuleWithoutALicenceIsNotPassedOver(t *testing.T) {
	if name, err := licenceIn(t.TempDir()); err == nil {
		t.Errorf("its licence is %s", name)
	}
}
