// What is in a file that a person chose, as the API takes it; and a file that is handed to the browser.

export function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Certificates as PEM; Apple gives its own as DER. */
export async function pemOf(file: File): Promise<string> {
  const text = await file.text();
  if (text.includes('-----BEGIN ')) return text;
  const body = base64Of(new Uint8Array(await file.arrayBuffer()));
  return `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
}

export function download(name: string, content: BlobPart, type = 'application/octet-stream'): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
