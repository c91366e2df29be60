# The server as an image. Build: docker build -t ojs-playground .
# Run:   docker run -p 127.0.0.1:8080:8080 -e OJS_TOKEN_ADMIN="$(openssl rand -hex 32)" -v ojs:/data ojs-playground
FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN pip wheel --no-cache-dir --wheel-dir /wheels .

FROM python:3.13-slim
RUN --mount=type=bind,from=build,source=/wheels,target=/wheels \
    pip install --no-cache-dir --no-index --find-links /wheels ojs-playground \
    && useradd --system --uid 10001 --home-dir /data ojs \
    && install -d -o ojs -g ojs /data
USER ojs
# A container listens to its network, so that a token is needed; see docs/server.md.
ENV HOME=/data XDG_DATA_HOME=/data OJS_HOST=0.0.0.0 OJS_LOG=json PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://localhost:8080/health', timeout=2)"]
ENTRYPOINT ["ojs-playground"]
CMD ["serve"]
