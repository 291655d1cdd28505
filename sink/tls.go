package sink

import "crypto/tls"

// TLSWarnings says what an operator should know of TLS settings that a sink was
// given: that nobody checks whom it speaks with. For the method Warnings of a
// sink, see [tickwell.Sink]. Nil settings give none.
func TLSWarnings(conf *tls.Config) []string {
	if conf == nil || !conf.InsecureSkipVerify || conf.VerifyConnection != nil || conf.VerifyPeerCertificate != nil {
		return nil
	}
	return []string{"TLS.InsecureSkipVerify is set: the server's certificate is not checked, so anyone on the way may read and change what is sent, secrets too"}
}
