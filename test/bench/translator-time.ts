export function measureTranslator(): string { return ""; }
