// Command go-peers serves NanoMDM's and micromdm/scep's own packages over TLS, as Odette serves its devices, so that a benchmark can
// compare like with like: `go-peers mdm` with a pool of connections to PostgreSQL, `go-peers scep` with its files.
package main

import (
	"crypto/x509"
	"database/sql"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"

	kitlog "github.com/go-kit/kit/log"
	_ "github.com/lib/pq"
	"github.com/micromdm/nanomdm/certverify"
	"github.com/micromdm/nanomdm/cryptoutil"
	httpmdm "github.com/micromdm/nanomdm/http/mdm"
	"github.com/micromdm/nanomdm/service/certauth"
	"github.com/micromdm/nanomdm/service/nanomdm"
	"github.com/micromdm/nanomdm/storage/pgsql"
	scepdepot "github.com/micromdm/scep/v2/depot"
	scepfile "github.com/micromdm/scep/v2/depot/file"
	scepserver "github.com/micromdm/scep/v2/server"

	nanolog "github.com/micromdm/nanolib/log"
)

var (
	listen      = flag.String("listen", "", "address")
	certificate = flag.String("tls-cert", "", "PEM file; empty: no TLS")
	key         = flag.String("tls-key", "", "PEM file")
	dsn         = flag.String("dsn", "", "of PostgreSQL")
	pool        = flag.Int("pool", 32, "connections to PostgreSQL, kept open")
	authority   = flag.String("ca", "", "PEM file of the authority of the devices' identities")
	depot       = flag.String("depot", "", "folder of the SCEP authority")
	challenge   = flag.String("challenge", "", "static SCEP challenge")
)

func main() {
	if len(os.Args) < 2 {
		log.Fatal("go-peers mdm|scep|schema [flags]")
	}
	mode := os.Args[1]
	if err := flag.CommandLine.Parse(os.Args[2:]); err != nil {
		log.Fatal(err)
	}
	switch mode {
	case "schema":
		fmt.Print(pgsql.Schema)
	case "mdm":
		serve(mdmHandler())
	case "scep":
		serve(scepHandler())
	default:
		log.Fatalf("unknown mode %q", mode)
	}
}

func serve(handler http.Handler) {
	if *certificate == "" {
		log.Fatal(http.ListenAndServe(*listen, handler))
	}
	log.Fatal(http.ListenAndServeTLS(*listen, *certificate, *key, handler))
}

// mdmHandler is the chain of NanoMDM's command without its request log, with a pool of its own size.
func mdmHandler() http.Handler {
	pem, err := os.ReadFile(*authority)
	fatal(err)
	verifier, err := certverify.NewPoolVerifier(pem, nil, x509.ExtKeyUsageClientAuth)
	fatal(err)
	db, err := sql.Open("postgres", *dsn)
	fatal(err)
	db.SetMaxOpenConns(*pool)
	db.SetMaxIdleConns(*pool)
	storage, err := pgsql.New(pgsql.WithDB(db))
	fatal(err)
	logger := nanolog.NopLogger
	service := certauth.New(nanomdm.New(storage), storage)
	handler := http.Handler(httpmdm.CheckinAndCommandHandler(service, logger))
	handler = httpmdm.CertVerifyMiddleware(handler, verifier, logger)
	return httpmdm.CertExtractMdmSignatureMiddleware(handler, httpmdm.MdmSignatureVerifierFunc(cryptoutil.VerifyMdmSignature))
}

func scepHandler() http.Handler {
	files, err := scepfile.NewFileDepot(*depot)
	fatal(err)
	authorities, authorityKey, err := files.CA(nil)
	fatal(err)
	signer := scepserver.StaticChallengeMiddleware(*challenge, scepserver.SignCSRAdapter(
		scepdepot.NewSigner(files, scepdepot.WithAllowRenewalDays(0), scepdepot.WithValidityDays(365))))
	logger := kitlog.NewNopLogger()
	service, err := scepserver.NewService(authorities[0], authorityKey, signer, scepserver.WithLogger(logger))
	fatal(err)
	return scepserver.MakeHTTPHandler(scepserver.MakeServerEndpoints(service), service, logger)
}

func fatal(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
