export default async function stopServers() {
  await Promise.all(globalThis.pawlTestServers.map((server) => server?.stop()));
}
