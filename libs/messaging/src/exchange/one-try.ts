import { PawlError } from '@pawl/core';

export interface HttpCall {
  readonly method: 'PUT' | 'POST' | 'GET' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Of the whole call, body of the answer included. Milliseconds. */
  readonly timeoutMs: number;
  /** Largest body of an answer. */
  readonly bytesMax: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpReply {
  readonly status: number;
  /** Undefined if it is no JSON. */
  readonly body: unknown;
  /** How long the server asks to wait. Milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/**
 * One HTTP call, bounded in time and size. Redirects are errors: an exchange stays with the server that has its id.
 * @throws PawlError `http_no_answer`: whether it was received is unknown; what the signal was aborted with
 */
export async function oneTry({ timeoutMs, bytesMax, signal, url, ...call }: HttpCall): Promise<HttpReply> {
  signal?.throwIfAborted();
  // Not AbortSignal.any with AbortSignal.timeout: the garbage collector may take those away before they fire (nodejs/node#54614).
  const controller = new AbortController();
  const follow = (): void => controller.abort(signal?.reason);
  const timer = setTimeout(() => controller.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
  signal?.addEventListener('abort', follow, { once: true });
  try {
    const response = await fetch(url, { ...call, redirect: 'error', signal: controller.signal });
    const text = await textOf(response, bytesMax);
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
    const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : undefined;
    return { status: response.status, body: jsonOf(text), retryAfterMs };
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof PawlError) throw error;
    throw new PawlError('http_no_answer', `${call.method} got no answer: ${reasonOf(error)}`, {}, error);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', follow);
  }
}

async function textOf(response: Response, bytesMax: number): Promise<string> {
  const decoder = new TextDecoder();
  let bytes = 0;
  let text = '';
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > bytesMax)
      throw new PawlError('http_answer_too_large', `The answer has more than ${bytesMax} bytes.`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined; // no JSON: its status says what there is to know
  }
}

function reasonOf(error: unknown): string {
  const { message, cause } = error as { message?: string; cause?: { message?: string } };
  return cause?.message ?? message ?? String(error);
}
