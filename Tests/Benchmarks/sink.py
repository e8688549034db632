"""A gateway that accepts everything: one nginx worker with a fixed answer, over http, https, and http with delays."""

import os
import socket
import subprocess
import time
from pathlib import Path

BODY = '{"Code":"OK","Message":"OK","RequestId":"2184201F-BFB3-446B-B1F2-C746B7BF0657","BizId":"900619746936498440^0"}'
ECHO = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
# Seconds: of a gateway across a continent, and of one in the same city.
DELAY, SHORT_DELAY = 0.05, 0.005

CONFIGURATION = """
{modules}
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/errors crit;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
    access_log off; default_type application/json; client_max_body_size 64m; client_body_buffer_size 1m;
    keepalive_requests 1000000000; keepalive_timeout 1h; server_tokens off; tcp_nodelay on;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{http} backlog=4096;
        listen 127.0.0.1:{https} ssl;
        ssl_certificate {folder}/server.pem; ssl_certificate_key {folder}/server.key;
        location / {{ return 200 '{body}'; }}
    }}
    {delayed}
}}
"""
DELAYED = """
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ echo_read_request_body; echo_sleep {delay}; echo '{body}'; }}
    }}
"""


class Sink:
    def __init__(self, folder):
        self.folder = Path(folder)
        (self.folder / "body").mkdir()
        self._certificate()
        http, https, slow, near = free_ports(4)
        delayed = "".join(
            DELAYED.format(port=port, delay=delay, body=BODY)
            for port, delay in ((slow, DELAY), (near, SHORT_DELAY))
            if ECHO.exists()
        )
        modules = f"load_module {ECHO};" if ECHO.exists() else ""
        text = CONFIGURATION.format(
            folder=self.folder, http=http, https=https, body=BODY, delayed=delayed, modules=modules
        )
        (self.folder / "nginx.conf").write_text(text)
        nginx = "nginx" if os.access("/usr/sbin/nginx", os.X_OK) is False else "/usr/sbin/nginx"
        command = [nginx, "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", self.folder / "errors"]
        self.process = subprocess.Popen(list(map(str, command)))
        self.http, self.https = f"http://127.0.0.1:{http}", f"https://localhost:{https}"
        self.slow, self.near = (f"http://127.0.0.1:{port}" if delayed else None for port in (slow, near))
        self.port = http
        self._wait()

    def stop(self):
        self.process.terminate()
        self.process.wait(10)

    @property
    def cpu(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _wait(self):
        for _ in range(200):
            if self.process.poll() is not None:
                raise SystemExit(f"nginx did not start: {(self.folder / 'errors').read_text()}")
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.02)
        raise SystemExit("nginx does not listen")

    def _certificate(self):
        ec = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes".split()

        def openssl(*arguments):
            subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, cwd=self.folder)

        (self.folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl("req", "-x509", *ec, "-days", 2, "-subj", "/CN=benchmark", "-keyout", "ca.key", "-out", "ca.pem")
        openssl("req", *ec, "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr")
        signed = ["-days", 2, "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names"]
        openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", *signed)
        self.authority = self.folder / "ca.pem"


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
