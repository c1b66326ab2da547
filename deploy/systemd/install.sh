#!/bin/sh
# Installs or upgrades the agent: run as root in the unpacked archive. The version before stays, for a way back:
#   ln -sfn /opt/sluice/VERSION /opt/sluice/current && systemctl restart 'sluice-edge@*'
set -eu
here=$(dirname "$(readlink -f "$0")")
version=$(basename "$here" | sed 's/^sluice-edge-//')
node=$(command -v node || true)
[ -n "$node" ] || { echo "install: node is not there: install Node 20.19 or newer" >&2; exit 1; }
"$node" -e 'const [a,b]=process.versions.node.split(".").map(Number); process.exit(a>20||(a===20&&b>=19)?0:1)' ||
  { echo "install: $("$node" --version) is too old: install Node 20.19 or newer" >&2; exit 1; }

getent group sluice >/dev/null || groupadd --system sluice
getent passwd sluice >/dev/null || useradd --system --gid sluice --home-dir /var/lib/sluice --shell /usr/sbin/nologin sluice
install -d -m 0755 /opt/sluice
install -d -m 0750 -g sluice /etc/sluice
rm -rf "/opt/sluice/$version.new"
cp -R "$here" "/opt/sluice/$version.new"
chown -R root:root "/opt/sluice/$version.new"
# It must start before it takes the other's place.
"/opt/sluice/$version.new/bin/sluice" edge --help >/dev/null
rm -rf "/opt/sluice/$version"
mv "/opt/sluice/$version.new" "/opt/sluice/$version"
before=$(readlink /opt/sluice/current || true)
ln -sfn "/opt/sluice/$version" /opt/sluice/current
ln -sfn /opt/sluice/current/bin/sluice /usr/local/bin/sluice
install -m 0644 "$here/systemd/sluice-edge@.service" /etc/systemd/system/sluice-edge@.service
if command -v systemctl >/dev/null && [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart 'sluice-edge@*'
fi
echo "installed $version${before:+; before: $before}"
