/** Certificates for servers on loopback, and what such a server shows. */
import { X509Certificate } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { type TlsPair } from '../../node/http/tls-files.ts';

/** Two certificates that sign themselves, for localhost, and their keys: for tests alone, they protect nothing. */
export const TLS_PAIRS = [
  {
    cert: `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUcqTu8PPg8sTVzUA6Jtm+02Ttc5EwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNTE3MzY0NFoYDzIxMjYxMTAx
MTczNjQ0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAATMWXLEQMfXKnKKQ+E8qeXYGq0am0swHNDwO9ODxSfOM1G81OuaxZT6
qghyFt17xWwXvHhIGUaPb3CE8g7HabOEo28wbTAdBgNVHQ4EFgQU5xGckzJcjCqD
vwNvkZa8Jy2EwSAwHwYDVR0jBBgwFoAU5xGckzJcjCqDvwNvkZa8Jy2EwSAwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZI
zj0EAwIDSQAwRgIhALY3twX0lPNjZfg4l/uMh7FEzEj8+fZ5Dx6pmHqlKfybAiEA
+YwSVgyAAmacH5drwPmcIHzVeFUcbR2T7prpgQkDA/U=
-----END CERTIFICATE-----
`,
    key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRaYXONWCZqcmJOlk
2Bl9LTzvk5imqaF8CSeEifWWJdOhRANCAATMWXLEQMfXKnKKQ+E8qeXYGq0am0sw
HNDwO9ODxSfOM1G81OuaxZT6qghyFt17xWwXvHhIGUaPb3CE8g7HabOE
-----END PRIVATE KEY-----
`,
  },
  {
    cert: `-----BEGIN CERTIFICATE-----
MIIBnDCCAUGgAwIBAgIUMt71xm+PmtIE6CLi4Wr8V8uYqD0wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyNTE3MzY0NFoYDzIxMjYxMTAx
MTczNjQ0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARBdtOOFOaZGkC5eXAKIntB4CvZlaxYrM74SmzQicT2FYedzZ66+RAL
2gHzZtkiqS0SbaneVq26lERx/ny3i9kjo28wbTAdBgNVHQ4EFgQUD08BdHi/dAab
WJMaB2VjXeK66FgwHwYDVR0jBBgwFoAUD08BdHi/dAabWJMaB2VjXeK66FgwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARhwR/AAABgglsb2NhbGhvc3QwCgYIKoZI
zj0EAwIDSQAwRgIhAIAQbQzqDi/bgwSwk8Is69/A1MeiBUsmICHw1xvgamjjAiEA
vQCd4jvRaIaecA+Lk2TAUAX/jUiD4L58n9yDFRFcUIk=
-----END CERTIFICATE-----
`,
    key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgqQxEDY5fazvmc+3V
/7iuyWOebibCKFLHy9LF93EuO+2hRANCAARBdtOOFOaZGkC5eXAKIntB4CvZlaxY
rM74SmzQicT2FYedzZ66+RAL2gHzZtkiqS0SbaneVq26lERx/ny3i9kj
-----END PRIVATE KEY-----
`,
  },
] as const;

/** The files of a pair in this folder; `write` puts another one there. */
export function tlsFilesIn(dir: string, pair: TlsPair) {
  const paths = { certFile: join(dir, 'cert.pem'), keyFile: join(dir, 'key.pem') };
  const write = ({ cert, key }: TlsPair): void => {
    writeFileSync(paths.certFile, cert);
    writeFileSync(paths.keyFile, key);
  };
  write(pair);
  return { paths, write };
}

/** The fingerprint of the certificate that whoever listens on this port of loopback shows now. */
export function shownAt(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
      resolve(socket.getPeerX509Certificate()?.fingerprint256 ?? '');
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

export function fingerprintOf({ cert }: Pick<TlsPair, 'cert'>): string {
  return new X509Certificate(cert).fingerprint256;
}
