/** A packet of a DTU as a setting: text as it stands, or `hex:` and bytes. */
export const PACKET_PATTERN = '^(hex:([0-9a-fA-F]{2}){1,64}|(?!hex:).{1,128})$'

export const packetBytes = (setting: string): Buffer =>
  setting.startsWith('hex:') ? Buffer.from(setting.slice(4), 'hex') : Buffer.from(setting, 'utf8')
