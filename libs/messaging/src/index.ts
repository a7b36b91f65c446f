export {
  type AsyncApiDocument,
  asyncApiDocument,
  type AsyncApiOptions,
} from './asyncapi/asyncapi-document.js';
export { type Acknowledgement, parseAcknowledgement, type WireAcknowledgement } from './acknowledgement.js';
export { appendDeadLetters, type DeadLetter, type RecordedError, recordedError } from './dead-letter.js';
export {
  type DeadLetterPage,
  type DeadLetterRecord,
  DeadLetters,
  type DeadLetterSummary,
  type Instruction,
  type RunSql,
} from './dead-letter/dead-letters.js';
export { type DeadEvent, type EventRedrive, Redriver } from './dead-letter/redriver.js';
export { declared, type DeclaredRoute, type DeclaredWindow } from './declared.js';
export { type Envelope, isProblem, parseEnvelope, type Problem } from './envelope.js';
export { FeedConsumer, type FeedConsumerOptions } from './feed/feed-consumer.js';
export { FeedModule } from './feed/feed.module.js';
export type { FeedOptions, FeedSource } from './feed/feed-options.js';
export { type FeedPage, OutboxFeed } from './feed/outbox-feed.js';
export { Consumers } from './inbox/consumers.js';
export { KeyRing } from './integrity/key-ring.js';
export { type MessageKey, messageKeys } from './integrity/message-key.js';
export { openSealed, type RefusalReason, seal, type SealedDelivery } from './integrity/seal.js';
export { type AcceptOutcome, Inbox } from './inbox/inbox.js';
export { LeaveOpenError } from './inbox/leave-open-error.js';
export type { MessageConsumer } from './inbox/message-consumer.js';
export { type MessageContext, type MessageHandler, OnMessage } from './inbox/on-message.js';
export { NO_SEALS, type Seals } from './integrity/seals.js';
export { appendLosses, type Loss, retractLosses, settleLosses } from './loss.js';
export { type MessageClass, MessageType, messageTypeOf, type MessageTypeOptions } from './message-type.js';
export type { MessagingLimits, MessagingOptions } from './messaging-options.js';
export { MessagingModule } from './messaging.module.js';
export { MessagingRuntime } from './messaging-runtime.js';
export { RouteCongestedError } from './outbox/backlogs.js';
export { Outbox } from './outbox/outbox.js';
export { outgoing, type OutgoingMessage, type OutgoingOptions } from './outgoing-message.js';
export { PAYLOAD_BYTES_MAX, PAYLOAD_DEPTH_MAX, payloadJson, payloadProblems } from './payload.js';
export { type IncarnationRecord, MessageStreams, type StreamState } from './message-streams.js';
export type { WireAnswer, WireQuestion } from './session-delivery.js';
export { type Guarantee, type Route, route, type RouteOptions, streamName } from './route.js';
export { type BullBackend, type BullBackendOptions, openBullBackend } from './transport/bull-backend.js';
export type { BullQueue, NewJob } from './transport/bull-queue.js';
export type { BullWorker, BullWorkerOptions, JobProcessor, ReceivedJob } from './transport/bull-worker.js';
export {
  BullTransport,
  type BullTransportOptions,
  type MessageJob,
  messageQueue,
} from './transport/bull-transport.js';
export { InMemoryBus, InMemoryTransport } from './transport/in-memory-transport.js';
export type { Delivery, Receive, Subscription, Transport } from './transport/transport.js';
export type { ReceiverCounts } from './receiver.js';
export { TransportUnavailableError } from './transport/transport-unavailable-error.js';
export { BearerToken, refuseBearer, TOKEN_LENGTH_MIN } from './request/bearer-token.js';
export { type HttpProblem, httpProblem, PROBLEM_TYPE } from './request/http-problem.js';
export {
  type HttpRequest,
  IdempotencyKeyInvalidError,
  IdempotencyKeyMissingError,
  requestIdentity,
  type RequestIdentity,
} from './request/idempotency-key.js';
export {
  type Answer,
  type Answered,
  IdempotentRequests,
  type IdempotentRequestsOptions,
  RequestInProgressError,
  RequestKeyReusedError,
} from './request/idempotent-requests.js';
export { Identity } from './request/identity.js';
export { ProblemFilter } from './request/problem-filter.js';
export { problemOf } from './request/problem-of.js';
export { RequestPruner } from './request/request-pruner.js';
export { RequestsModule } from './request/requests.module.js';
export { type ExchangeView } from './exchange/exchange.js';
export { ExchangeClient, type ExchangeClientOptions, type Wanted } from './exchange/exchange-client.js';
export {
  ExchangeGoneError,
  ExchangeInvalidError,
  ExchangeRefusedError,
  ExchangeUnansweredError,
} from './exchange/exchange-client-errors.js';
export { ExchangeModule, type ExchangeOptions } from './exchange/exchange.module.js';
export { ExchangePruner } from './exchange/exchange-pruner.js';
export {
  type RequestContext,
  RequestHandler,
  type RequestHandling,
  RequestRefusedError,
} from './exchange/request-handler.js';
export { newRequestId, requestIdOf, timeOfRequestId } from './exchange/request-id.js';
export { type RequestType, requestType, type RequestTypeOptions } from './exchange/request-type.js';
export { Webhook, type WebhookContext, type WebhookHandling } from './webhook/webhook.js';
export { WebhookModule, type WebhookOptions } from './webhook/webhook.module.js';
export { WebhookPruner } from './webhook/webhook-pruner.js';
export type { WebhookSourceOptions } from './webhook/webhook-sources.js';
export {
  standardWebhooks,
  type StandardWebhooksOptions,
  type WebhookDelivery,
  WebhookHeadersInvalidError,
  WebhookSignatureInvalidError,
  WebhookTimestampOutsideError,
  type WebhookVerifier,
} from './webhook/webhook-verifier.js';
