"""An OpenID provider on this machine, for as long as a `with` block lasts: whoever comes is let in as whom the test says."""

import base64
import hashlib
import http.server
import json
import threading
import time
import urllib.parse


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Provider:
    def __init__(self, client_id, secret):
        self.client_id, self.secret, self.grants = client_id, secret, {}
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(200, {"issuer": provider.url, "authorization_endpoint": f"{provider.url}/authorize",
                                  "token_endpoint": f"{provider.url}/token"})

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                form = dict(urllib.parse.parse_qsl(body))
                self.answer(*provider.redeemed(form, self.headers["authorization"]))

            def answer(self, status, value):
                body = json.dumps(value).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def sign_in(self, address, email):
        """What a person's browser does at the authorization endpoint; gives where it is sent back to."""
        assert address.startswith(f"{self.url}/authorize?"), address
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query))
        assert (asked["response_type"], asked["client_id"]) == ("code", self.client_id), asked
        code = str(len(self.grants))
        self.grants[code] = asked | {"email": email}
        return f"{asked['redirect_uri']}?{urllib.parse.urlencode({'code': code, 'state': asked['state']})}"

    def redeemed(self, form, authorization):
        pair = ":".join(urllib.parse.quote(half, safe="") for half in (self.client_id, self.secret))
        if authorization != f"Basic {base64.b64encode(pair.encode()).decode()}":
            return 401, {"error": "invalid_client"}
        grant = self.grants.pop(form["code"], None)
        challenge = unpadded(hashlib.sha256(form["code_verifier"].encode()).digest())
        if grant is None or (grant["code_challenge"], grant["redirect_uri"]) != (challenge, form["redirect_uri"]):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.url, "aud": self.client_id, "sub": "7", "nonce": grant["nonce"], "iat": now, "exp": now + 300,
                  "email": grant["email"], "email_verified": True}
        token = ".".join(unpadded(json.dumps(part).encode()) for part in ({"alg": "RS256"}, claims, "signed"))
        return 200, {"token_type": "Bearer", "access_token": "none of ours", "id_token": token}
