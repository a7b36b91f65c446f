// The passwords of docker-compose.yml's comments, of the documentation and of everybody's first try.
const SAMPLES = ['pawl', 'postgres', 'redis', 'password', 'secret', 'admin', 'test', 'changeme', 'example'];

/**
 * Whether a secret, or a password in an address, is one that everybody knows. An address without a password has none of
 * those: its server asks for a certificate, or trusts the peer.
 */
export function isSampleSecret(value: string): boolean {
  return (URL.canParse(value) ? passwordsOf(new URL(value)) : [value]).some((secret) => {
    const plain = secret.toLowerCase().replaceAll(/[^a-z]/g, '');
    return SAMPLES.includes(plain) || plain.includes('changeme');
  });
}

function passwordsOf({ password, searchParams }: URL): string[] {
  return [decodeURIComponent(password), ...searchParams.getAll('password')];
}
