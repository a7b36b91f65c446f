export interface BoundedFetchOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, which makes it a POST. */
  readonly body?: string;
  /** Longest answer that is read. Bytes. */
  readonly bytesMax: number;
  /** From the start to the last byte. Milliseconds. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * One HTTP request that ends: after its time, or with its signal, or when the answer is too long. Redirects are not followed, for the token
 * would go with them.
 * @throws Error of the network, or one that says what was too much
 */
export async function boundedFetch(
  url: string,
  { headers, body, bytesMax, timeoutMs, signal }: BoundedFetchOptions,
): Promise<{ status: number; text: string }> {
  const stop = new AbortController();
  const abort = (): void => stop.abort(new Error('stopped'));
  const timer = setTimeout(() => stop.abort(new Error(`took longer than ${timeoutMs} ms`)), timeoutMs);
  signal?.addEventListener('abort', abort);
  if (signal?.aborted === true) abort();
  try {
    const json = { ...headers, 'content-type': 'application/json' };
    const request = body === undefined ? { headers } : { method: 'POST', body, headers: json };
    const response = await fetch(url, { ...request, redirect: 'manual', signal: stop.signal });
    return { status: response.status, text: await textOf(response, bytesMax) };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

async function textOf(response: Response, bytesMax: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels the body.
    if (bytes > bytesMax) throw new Error(`answered more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
