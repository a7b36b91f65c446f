# One image for every service: docker-compose.yml says which command each runs.
FROM node:22-slim AS build
WORKDIR /app
COPY . .
RUN npm ci && npm run build
# Without compiler, test tools and embedded servers. What was built stays.
RUN npm ci --omit=dev && rm -rf apps/demo libs/testing libs/*/src apps/*/src migrations/src

FROM node:22-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/libs ./libs
COPY --from=build /app/migrations ./migrations
COPY --from=build /app/apps ./apps
USER node
EXPOSE 3000
CMD ["node", "libs/cli/dist/main.js", "--help"]
