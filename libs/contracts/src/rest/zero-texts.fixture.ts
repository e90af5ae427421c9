/**
 * For each structure, the JSON of a message with nothing set: what the API's type tables say about keys left out when
 * empty, `null`, empty lists, zero values and timestamps never set. Written from those tables, not by the code under test.
 */
export const ZERO_TEXTS: Readonly<Record<string, string>> = {
  'incusos.applications.v1.Application':
    '{"state":{"is_primary":false,"initialized":false,"friendly_version":"","version":"","available_versions":null},"config":{"pin_current_versions":false}}',
  'incusos.applications.v1.ApplicationConfig': '{"pin_current_versions":false}',
  'incusos.applications.v1.ApplicationState':
    '{"is_primary":false,"initialized":false,"friendly_version":"","version":"","available_versions":null}',
  'incusos.applications.v1.ApplicationAction': '{"action":""}',
  'incusos.applications.v1.ApplicationIncus':
    '{"state":{"is_primary":false,"initialized":false,"friendly_version":"","version":"","available_versions":null,"services":{"ceph":{"deployed":false}}},"config":{"pin_current_versions":false,"lxcfs":{"cpu_shares":false,"load_average":false}}}',
  'incusos.applications.v1.ApplicationIncusConfig':
    '{"pin_current_versions":false,"lxcfs":{"cpu_shares":false,"load_average":false}}',
  'incusos.applications.v1.ApplicationIncusConfigLXCFS': '{"cpu_shares":false,"load_average":false}',
  'incusos.applications.v1.ApplicationIncusState':
    '{"is_primary":false,"initialized":false,"friendly_version":"","version":"","available_versions":null,"services":{"ceph":{"deployed":false}}}',
  'incusos.applications.v1.ApplicationOpenFGA':
    '{"state":{"is_primary":false,"initialized":false,"friendly_version":"","version":"","available_versions":null},"config":{"pin_current_versions":false,"api_tokens":null}}',
  'incusos.applications.v1.ApplicationOpenFGAConfig': '{"pin_current_versions":false,"api_tokens":null}',
  'incusos.applications.v1.ApplicationOpenFGAState':
    '{"is_primary":false,"initialized":false,"friendly_version":"","version":"","available_versions":null}',
  'incusos.applications.v1.ApplicationIncusStateServices': '{"ceph":{"deployed":false}}',
  'incusos.applications.v1.ApplicationIncusStateServicesCeph': '{"deployed":false}',
  'incusos.applications.v1.ApplicationIncusStateServicesCephOSD': '{"host":"","device":""}',
  'incusos.addons.v1.ServiceCeph': '{"state":{},"config":{"enabled":false,"clusters":null}}',
  'incusos.addons.v1.ServiceCephConfig': '{"enabled":false,"clusters":null}',
  'incusos.addons.v1.ServiceCephCluster': '{"fsid":"","monitors":null,"keyrings":null,"client_config":null}',
  'incusos.addons.v1.ServiceCephKeyring': '{"key":""}',
  'incusos.addons.v1.ServiceCephState': '{}',
  'incusos.addons.v1.ServiceCephStateHealth': '{"status":""}',
  'incusos.addons.v1.ServiceCephStateHealthCheck':
    '{"severity":"","summary":{"message":"","count":0},"muted":false}',
  'incusos.addons.v1.ServiceCephStateHealthCheckSummary': '{"message":"","count":0}',
  'incusos.addons.v1.ServiceCephStateMonMap': '{"epoch":0,"min_mon_release_name":"","num_mons":0}',
  'incusos.addons.v1.ServiceCephStateOSDMap':
    '{"epoch":0,"num_osds":0,"num_up_osds":0,"osd_up_since":0,"num_in_osds":0,"osd_in_since":0,"num_remapped_pgs":0}',
  'incusos.addons.v1.ServiceCephStatePGMap':
    '{"pgs_by_state":null,"num_pgs":0,"num_pools":0,"num_objects":0,"data_bytes":0,"bytes_used":0,"bytes_avail":0,"bytes_total":0}',
  'incusos.addons.v1.ServiceCephStatePGMapPGsByState': '{"state_name":"","count":0}',
  'incusos.addons.v1.ServiceCephStateFSMap': '{"epoch":0,"btime":""}',
  'incusos.addons.v1.ServiceCephStateMgrMap': '{"available":false,"num_standbys":0,"modules":null}',
  'incusos.addons.v1.ServiceCephStateServiceMap': '{"epoch":0,"modified":"","services":null}',
  'incusos.addons.v1.ServiceISCSI':
    '{"state":{"initiator_name":""},"config":{"enabled":false,"targets":null}}',
  'incusos.addons.v1.ServiceISCSIConfig': '{"enabled":false,"targets":null}',
  'incusos.addons.v1.ServiceISCSITarget': '{"target":"","address":"","port":0}',
  'incusos.addons.v1.ServiceISCSIState': '{"initiator_name":""}',
  'incusos.addons.v1.ServiceLinstor': '{"state":{},"config":{"enabled":false,"listen_address":""}}',
  'incusos.addons.v1.ServiceLinstorConfig': '{"enabled":false,"listen_address":""}',
  'incusos.addons.v1.ServiceLinstorState': '{}',
  'incusos.addons.v1.ServiceLVM': '{"state":{},"config":{"enabled":false,"system_id":0}}',
  'incusos.addons.v1.ServiceLVMConfig': '{"enabled":false,"system_id":0}',
  'incusos.addons.v1.ServiceLVMState': '{}',
  'incusos.addons.v1.ServiceLVMPV':
    '{"pv_name":"","vg_name":"","pv_fmt":"","pv_attr":"","pv_size":"","pv_free":""}',
  'incusos.addons.v1.ServiceLVMVG':
    '{"vg_name":"","pv_count":0,"lv_count":0,"snap_count":0,"vg_attr":"","vg_size":"","vg_free":""}',
  'incusos.addons.v1.ServiceLVMLog':
    '{"log_seq_num":0,"log_type":"","log_context":"","log_object_type":"","log_object_name":"","log_object_id":"","log_object_group":"","log_object_group_id":"","log_message":"","log_errno":0,"log_ret_code":0}',
  'incusos.addons.v1.ServiceMultipath':
    '{"state":{"controllers":null,"devices":null},"config":{"enabled":false,"wwns":null}}',
  'incusos.addons.v1.ServiceMultipathConfig': '{"enabled":false,"wwns":null}',
  'incusos.addons.v1.ServiceMultipathState': '{"controllers":null,"devices":null}',
  'incusos.addons.v1.ServiceMultipathController':
    '{"fabric_name":"","node_name":"","port_name":"","port_state":"","port_type":"","speed":"","supported_speeds":""}',
  'incusos.addons.v1.ServiceMultipathDevice': '{"vendor":"","size":"","path_groups":null}',
  'incusos.addons.v1.ServiceMultipathPathGroup': '{"policy":"","priority":0,"status":"","paths":null}',
  'incusos.addons.v1.ServiceMultipathPath': '{"id":"","status":""}',
  'incusos.addons.v1.ServiceNetbird':
    '{"config":{"enabled":false,"setup_key":"","management_url":"","admin_url":"","anonymize":false,"block_inbound":false,"block_lan_access":false,"disable_client_routes":false,"disable_server_routes":false,"disable_dns":false,"disable_firewall":false,"dns_resolver_address":"","external_ip_map":null,"extra_dns_labels":null},"state":{}}',
  'incusos.addons.v1.ServiceNetbirdConfig':
    '{"enabled":false,"setup_key":"","management_url":"","admin_url":"","anonymize":false,"block_inbound":false,"block_lan_access":false,"disable_client_routes":false,"disable_server_routes":false,"disable_dns":false,"disable_firewall":false,"dns_resolver_address":"","external_ip_map":null,"extra_dns_labels":null}',
  'incusos.addons.v1.ServiceNetbirdState': '{}',
  'incusos.addons.v1.ServiceNVME':
    '{"state":{"host_id":"","host_nqn":"","subsystems":null},"config":{"enabled":false,"targets":null}}',
  'incusos.addons.v1.ServiceNVMEConfig': '{"enabled":false,"targets":null}',
  'incusos.addons.v1.ServiceNVMETarget': '{"transport":"","address":"","port":0}',
  'incusos.addons.v1.ServiceNVMEState': '{"host_id":"","host_nqn":"","subsystems":null}',
  'incusos.addons.v1.ServiceNVMESubsystem': '{"name":"","nqn":"","controllers":null}',
  'incusos.addons.v1.ServiceNVMEController':
    '{"name":"","transport":"","address":"","state":"","namespaces":null}',
  'incusos.addons.v1.ServiceOVN':
    '{"state":{},"config":{"enabled":false,"database":"","tunnel_address":"","tunnel_protocol":""}}',
  'incusos.addons.v1.ServiceOVNConfig':
    '{"enabled":false,"database":"","tunnel_address":"","tunnel_protocol":""}',
  'incusos.addons.v1.ServiceOVNState': '{}',
  'incusos.addons.v1.ServiceTailscale':
    '{"config":{"enabled":false,"login_server":"","auth_key":"","port":0,"accept_routes":false,"accept_dns":false,"advertised_routes":null,"advertise_exit_node":false,"exit_node":"","exit_node_allow_lan_access":false,"serve_enabled":false,"serve_port":0,"serve_service":""},"state":{"version":"","backend_state":"","self":{"id":"","public_key":"","host_name":"","dns_name":"","os":"","tailscale_ips":null,"rx_bytes":0,"tx_bytes":0,"used_as_exit_node":false,"exit_node_offered":false,"online":false,"expired":false},"have_node_key":false}}',
  'incusos.addons.v1.ServiceTailscaleConfig':
    '{"enabled":false,"login_server":"","auth_key":"","port":0,"accept_routes":false,"accept_dns":false,"advertised_routes":null,"advertise_exit_node":false,"exit_node":"","exit_node_allow_lan_access":false,"serve_enabled":false,"serve_port":0,"serve_service":""}',
  'incusos.addons.v1.ServiceTailscaleState':
    '{"version":"","backend_state":"","self":{"id":"","public_key":"","host_name":"","dns_name":"","os":"","tailscale_ips":null,"rx_bytes":0,"tx_bytes":0,"used_as_exit_node":false,"exit_node_offered":false,"online":false,"expired":false},"have_node_key":false}',
  'incusos.addons.v1.ServiceTailscaleStatePeer':
    '{"id":"","public_key":"","host_name":"","dns_name":"","os":"","tailscale_ips":null,"rx_bytes":0,"tx_bytes":0,"used_as_exit_node":false,"exit_node_offered":false,"online":false,"expired":false}',
  'incusos.addons.v1.ServiceUSBIP': '{"state":{},"config":{"enabled":false,"targets":null}}',
  'incusos.addons.v1.ServiceUSBIPConfig': '{"enabled":false,"targets":null}',
  'incusos.addons.v1.ServiceUSBIPTarget': '{"address":"","bus_id":""}',
  'incusos.addons.v1.ServiceUSBIPState': '{}',
  'incusos.security.v1.SystemFallbackListener': '{"config":{"persistent":false},"state":{"active":false}}',
  'incusos.security.v1.SystemFallbackListenerConfig': '{"persistent":false}',
  'incusos.security.v1.SystemFallbackListenerState': '{"active":false}',
  'incusos.system.v1.SystemKernel': '{"config":{},"state":{}}',
  'incusos.system.v1.SystemKernelConfig': '{}',
  'incusos.system.v1.SystemKernelConfigCPU': '{}',
  'incusos.system.v1.SystemKernelConfigConsole': '{"device":""}',
  'incusos.system.v1.SystemKernelConfigMemory': '{"persistent_hugepages":0,"zram_swap_size":""}',
  'incusos.system.v1.SystemKernelConfigNetwork': '{}',
  'incusos.system.v1.SystemKernelConfigPCI': '{}',
  'incusos.system.v1.SystemKernelConfigPCISRIOV': '{"pci_address":"","vf_count":0}',
  'incusos.system.v1.SystemKernelConfigZFS': '{}',
  'incusos.system.v1.SystemKernelConfigPCIPassthrough': '{"vendor_id":"","product_id":""}',
  'incusos.system.v1.SystemKernelState': '{}',
  'incusos.system.v1.SystemKernelStateMemory': '{}',
  'incusos.system.v1.SystemKernelStateMemoryZramSwap':
    '{"disk_size":0,"incompressed_size":0,"compressed_size":0,"compression_ratio":0,"total_memory_use":0}',
  'incusos.system.v1.SystemLogging':
    '{"config":{"syslog":{"address":"","protocol":"","log_format":""},"journal_upload":{"url":"","tls_client_certificate":"","tls_client_key":"","tls_ca_certificate":""}},"state":{}}',
  'incusos.system.v1.SystemLoggingConfig':
    '{"syslog":{"address":"","protocol":"","log_format":""},"journal_upload":{"url":"","tls_client_certificate":"","tls_client_key":"","tls_ca_certificate":""}}',
  'incusos.system.v1.SystemLoggingSyslog': '{"address":"","protocol":"","log_format":""}',
  'incusos.system.v1.SystemLoggingJournalUpload':
    '{"url":"","tls_client_certificate":"","tls_client_key":"","tls_ca_certificate":""}',
  'incusos.system.v1.SystemLoggingState': '{}',
  'incusos.network.v1.SystemNetwork':
    '{"config":null,"state":{"interfaces":null,"configuration_in_process":false}}',
  'incusos.network.v1.SystemNetworkConfig': '{}',
  'incusos.network.v1.SystemNetworkInterface': '{"hwaddr":"","name":""}',
  'incusos.network.v1.SystemNetworkBond': '{"mode":"","name":""}',
  'incusos.network.v1.SystemNetworkVLAN': '{"id":0,"name":"","parent":""}',
  'incusos.network.v1.SystemNetworkBridge': '{}',
  'incusos.network.v1.SystemNetworkBondOptions': '{}',
  'incusos.network.v1.SystemNetworkEthernet': '{}',
  'incusos.network.v1.SystemNetworkFirewallRule': '{"action":""}',
  'incusos.network.v1.SystemNetworkWireguard': '{"name":""}',
  'incusos.network.v1.SystemNetworkWireguardPeer': '{"allowed_ips":null,"public_key":""}',
  'incusos.network.v1.SystemNetworkRoute': '{"to":"","via":""}',
  'incusos.network.v1.SystemNetworkDNS': '{"domain":"","hostname":""}',
  'incusos.network.v1.SystemNetworkTime': '{}',
  'incusos.network.v1.SystemNetworkProxy': '{}',
  'incusos.network.v1.SystemNetworkProxyServer': '{"auth":"","host":"","use_tls":false}',
  'incusos.network.v1.SystemNetworkProxyRule': '{"destination":"","target":""}',
  'incusos.network.v1.SystemNetworkState': '{"interfaces":null,"configuration_in_process":false}',
  'incusos.network.v1.SystemNetworkTimeState': '{"synchronized":false}',
  'incusos.network.v1.SystemNetworkChange': '{"outcome":"","time":""}',
  'incusos.network.v1.SystemNetworkPlan': '{"files":[],"devices":[],"interrupted":[],"warnings":[]}',
  'incusos.network.v1.SystemNetworkPlanFile': '{"path":"","change":""}',
  'incusos.network.v1.SystemNetworkPlanDevice': '{"name":"","change":""}',
  'incusos.network.v1.SystemNetworkPlanWarning': '{"field":"","message":""}',
  'incusos.network.v1.SystemNetworkInterfaceState':
    '{"state":"","stats":{"rx_bytes":0,"rx_errors":0,"tx_bytes":0,"tx_errors":0}}',
  'incusos.network.v1.SystemNetworkInterfaceStats': '{"rx_bytes":0,"rx_errors":0,"tx_bytes":0,"tx_errors":0}',
  'incusos.network.v1.SystemNetworkLLDPState': '{"chassis_id":"","name":"","port_id":""}',
  'incusos.network.v1.SystemNetworkLACPState': '{"local_mac":"","remote_mac":""}',
  'incusos.network.v1.SystemNetworkWireguardState': '{"public_key":""}',
  'incusos.network.v1.SystemNetworkWireguardPeerState':
    '{"allowed_ips":null,"endpoint":"","public_key":"","stats":{"rx_bytes":0,"rx_errors":0,"tx_bytes":0,"tx_errors":0}}',
  'incusos.update.v1.SystemProvider': '{"config":{"name":""},"state":{"registered":false}}',
  'incusos.update.v1.SystemProviderConfig': '{"name":""}',
  'incusos.update.v1.SystemProviderState': '{"registered":false}',
  'incusos.backup.v1.SystemReset':
    '{"allow_tpm_reset_failure":false,"seeds":null,"wipe_existing_seeds":false}',
  'incusos.security.v1.SystemSecurity':
    '{"config":{"encryption_recovery_keys":null},"state":{"encrypted_volumes":null,"encryption_recovery_keys_retrieved":false,"pool_recovery_keys":null,"secure_boot_certificates":null,"secure_boot_enabled":false,"system_state_is_trusted":false,"system_state_status":"","tpm_status":""}}',
  'incusos.security.v1.SystemSecurityConfig': '{"encryption_recovery_keys":null}',
  'incusos.security.v1.SystemSecurityState':
    '{"encrypted_volumes":null,"encryption_recovery_keys_retrieved":false,"pool_recovery_keys":null,"secure_boot_certificates":null,"secure_boot_enabled":false,"system_state_is_trusted":false,"system_state_status":"","tpm_status":""}',
  'incusos.security.v1.SystemSecuritySecureBootCertificate':
    '{"type":"","fingerprint":"","subject":"","issuer":""}',
  'incusos.security.v1.SystemSecurityEncryptedVolume': '{"volume":"","state":""}',
  'incusos.security.v1.InternalSecureBootCertificates': '{"pk":"","kek":null,"db":null,"dbx":null}',
  'incusos.security.v1.SecureBootEventLog': '{"event_log":null,"pcr4":"","pcr7":""}',
  'incusos.storage.v1.SystemStorage':
    '{"config":{"scrub_schedule":"","trim_schedule":""},"state":{"drives":null,"pools":null,"root_partition":{"size_in_bytes":0,"available_in_bytes":0}}}',
  'incusos.storage.v1.SystemStorageConfig': '{"scrub_schedule":"","trim_schedule":""}',
  'incusos.storage.v1.SystemStorageState':
    '{"drives":null,"pools":null,"root_partition":{"size_in_bytes":0,"available_in_bytes":0}}',
  'incusos.storage.v1.SystemStorageRootPartition': '{"size_in_bytes":0,"available_in_bytes":0}',
  'incusos.storage.v1.SystemStoragePool':
    '{"name":"","type":"","devices":null,"managed":false,"state":"","encryption_key_status":"","raw_pool_size_in_bytes":0,"usable_pool_size_in_bytes":0,"pool_allocated_space_in_bytes":0,"volumes":[]}',
  'incusos.storage.v1.SystemStoragePoolSpecial':
    '{"type":"","special_small_blocks_size_in_kb":0,"devices":null}',
  'incusos.storage.v1.SystemStoragePoolVolume': '{"name":"","usage_in_bytes":0,"quota_in_bytes":0,"use":""}',
  'incusos.storage.v1.SystemStoragePoolScrubStatus':
    '{"state":"","start_time":"0001-01-01T00:00:00Z","end_time":"0001-01-01T00:00:00Z","progress":"","errors":0}',
  'incusos.storage.v1.SystemStoragePoolTrimStatus':
    '{"state":"","last_action_time":"0001-01-01T00:00:00Z","progress":"","errors":0}',
  'incusos.storage.v1.SystemStorageDrive':
    '{"id":"","model_family":"","model_name":"","serial_number":"","bus":"","capacity_in_bytes":0,"boot":false,"multipath":false,"removable":false,"remote":false}',
  'incusos.storage.v1.SystemStorageDriveSMART': '{"enabled":false,"passed":false}',
  'incusos.storage.v1.SystemStorageWipe': '{"id":"","secure_wipe":false}',
  'incusos.storage.v1.SystemStorageImportEncryptedDrive': '{"id":"","key":""}',
  'incusos.storage.v1.SystemStorageEncrypt': '{"id":"","secure_wipe":false}',
  'incusos.storage.v1.SystemStoragePoolKey': '{"name":"","type":"","encryption_key":"","force":false}',
  'incusos.update.v1.SystemUpdate':
    '{"config":{"auto_reboot":false,"channel":"","check_frequency":""},"state":{"last_check":"0001-01-01T00:00:00Z","status":"","needs_reboot":false}}',
  'incusos.update.v1.SystemUpdateConfig': '{"auto_reboot":false,"channel":"","check_frequency":""}',
  'incusos.update.v1.SystemUpdateState':
    '{"last_check":"0001-01-01T00:00:00Z","status":"","needs_reboot":false}',
  'incusos.update.v1.SystemUpdateMaintenanceWindow':
    '{"start_hour":0,"start_minute":0,"end_hour":0,"end_minute":0}',
  'incusos.system.v1.DebugKernel': '{"version":"","architecture":"","cpu_baseline":"","modules":null}',
  'incusos.system.v1.DebugKernelModule': '{"name":"","dependencies":[],"in_use":false}',
  'incusos.system.v1.DebugTUI': '{"level":"","message":""}',
  'incusos.system.v1.DebugReport': '{"media_type":"","timestamp":"0001-01-01T00:00:00Z","metrics":[]}',
  'incusos.system.v1.DebugReportMetric': '{"name":"","value":null}',
  'incusos.seeds.v1.Applications': '{"version":"","applications":null}',
  'incusos.seeds.v1.Application': '{"name":""}',
  'incusos.seeds.v1.Incus': '{"version":"","apply_defaults":false,"preseed":null}',
  'incusos.seeds.v1.Install': '{"version":"","force_install":false,"force_reboot":false,"target":null}',
  'incusos.seeds.v1.InstallSecurity': '{"missing_tpm":false,"missing_secure_boot":false}',
  'incusos.seeds.v1.InstallTarget': '{}',
  'incusos.seeds.v1.Kernel': '{"version":""}',
  'incusos.seeds.v1.MigrationManager': '{"version":"","apply_defaults":false,"preseed":null}',
  'incusos.seeds.v1.MigrationManagerPreseed': '{}',
  'incusos.seeds.v1.Network': '{"version":""}',
  'incusos.seeds.v1.OperationsCenter': '{"version":"","apply_defaults":false,"preseed":null}',
  'incusos.seeds.v1.OperationsCenterPreseed': '{}',
  'incusos.seeds.v1.Provider': '{"name":"","version":""}',
  'incusos.seeds.v1.Security': '{"encryption_recovery_keys":null,"version":""}',
  'incusos.seeds.v1.Services': '{"version":""}',
  'incusos.seeds.v1.Update': '{"auto_reboot":false,"channel":"","check_frequency":"","version":""}',
  'incusos.seeds.v1.Storage': '{"version":"","pools":null}',
  'incusos.images.v1.AuthenticationRegister': '{"machine_id":"","token":"","public_key":"","initial":""}',
  'incusos.images.v1.AuthenticationToken': '{"machine_id":"","timestamp":0}',
  'incusos.images.v1.Changelog': '{"current_version":"","prior_version":"","channel":"","components":null}',
  'incusos.images.v1.ChangelogEntries': '{}',
  'incusos.images.v1.Index': '{"format":"","updates":null}',
  'incusos.images.v1.UpdateFull':
    '{"format":"","channels":null,"files":null,"origin":"","published_at":"0001-01-01T00:00:00Z","severity":"","version":""}',
  'incusos.images.v1.Update':
    '{"format":"","channels":null,"files":null,"origin":"","published_at":"0001-01-01T00:00:00Z","severity":"","version":""}',
  'incusos.images.v1.UpdateFile':
    '{"architecture":"","component":"","filename":"","sha256":"","size":0,"type":""}',
  'incusos.customizer.v1.CertificateGet': '{"certificate":"","key":"","pfx":""}',
  'incusos.customizer.v1.OIDCGet': '{"issuer":"","client_id":""}',
  'incusos.customizer.v1.ImagesPost':
    '{"architecture":"","type":"","channel":"","version":"","seeds":{"applications":null,"incus":null,"install":null,"migration-manager":null,"network":null,"operations-center":null,"provider":null,"services":null,"update":null},"offline":false}',
  'incusos.customizer.v1.ImagesPostSeeds':
    '{"applications":null,"incus":null,"install":null,"migration-manager":null,"network":null,"operations-center":null,"provider":null,"services":null,"update":null}',
  'incusos.customizer.v1.UpdatesPost':
    '{"channel":"","version":"","components":null,"types":null,"architectures":null}',
  'incusos.customizer.v1.UpdateFilter':
    '{"channel":"","version":"","components":null,"types":null,"architectures":null}',
  'incusos.system.v1.Resources':
    '{"cpu":{"architecture":"","sockets":[],"total":0},"memory":{"hugepages_total":0,"hugepages_used":0,"hugepages_size":0,"used":0,"total":0},"gpu":{"cards":[],"total":0},"network":{"cards":[],"total":0},"storage":{"disks":[],"total":0},"usb":{"devices":[],"total":0},"pci":{"devices":[],"total":0},"system":{"uuid":"","vendor":"","product":"","family":"","version":"","sku":"","serial":"","type":"","firmware":{"vendor":"","date":"","version":""},"chassis":{"vendor":"","type":"","serial":"","version":""},"motherboard":{"vendor":"","product":"","serial":"","version":""}},"load":{"Average1Min":0,"Average5Min":0,"Average10Min":0,"Processes":0},"serial":{"devices":[],"total":0}}',
  'incusos.system.v1.ResourcesCPU': '{"architecture":"","sockets":[],"total":0}',
  'incusos.system.v1.ResourcesCPUSocket': '{"socket":0,"cores":[]}',
  'incusos.system.v1.ResourcesCPUAddressSizes': '{"physical_bits":0,"virtual_bits":0}',
  'incusos.system.v1.ResourcesCPUCache': '{"level":0,"type":"","size":0}',
  'incusos.system.v1.ResourcesCPUCore': '{"core":0,"die":0,"threads":[],"flags":[]}',
  'incusos.system.v1.ResourcesCPUThread': '{"id":0,"numa_node":0,"thread":0,"online":false,"isolated":false}',
  'incusos.system.v1.ResourcesMemory':
    '{"hugepages_total":0,"hugepages_used":0,"hugepages_size":0,"used":0,"total":0}',
  'incusos.system.v1.ResourcesMemoryNode':
    '{"numa_node":0,"hugepages_used":0,"hugepages_total":0,"used":0,"total":0}',
  'incusos.system.v1.ResourcesGPU': '{"cards":[],"total":0}',
  'incusos.system.v1.ResourcesGPUCard': '{"numa_node":0}',
  'incusos.system.v1.ResourcesGPUCardDRM': '{"id":0,"card_name":"","card_device":""}',
  'incusos.system.v1.ResourcesGPUCardSRIOV': '{"current_vfs":0,"maximum_vfs":0,"vfs":[]}',
  'incusos.system.v1.ResourcesGPUCardNvidia': '{"brand":"","model":"","card_name":"","card_device":""}',
  'incusos.system.v1.ResourcesGPUCardMdev': '{"api":"","available":0,"devices":[]}',
  'incusos.system.v1.ResourcesNetwork': '{"cards":[],"total":0}',
  'incusos.system.v1.ResourcesNetworkCard': '{"numa_node":0}',
  'incusos.system.v1.ResourcesNetworkCardSRIOV': '{"current_vfs":0,"maximum_vfs":0,"vfs":[]}',
  'incusos.system.v1.ResourcesNetworkCardVDPA': '{"name":"","device":""}',
  'incusos.system.v1.ResourcesNetworkCardPort':
    '{"id":"","port":0,"protocol":"","auto_negotiation":false,"link_detected":false}',
  'incusos.system.v1.ResourcesNetworkCardPortInfiniband': '{}',
  'incusos.system.v1.ResourcesStorage': '{"disks":[],"total":0}',
  'incusos.system.v1.ResourcesStorageDisk':
    '{"id":"","device":"","read_only":false,"size":0,"removable":false,"numa_node":0,"block_size":0,"rpm":0,"device_id":"","partitions":[]}',
  'incusos.system.v1.ResourcesStorageDiskPartition':
    '{"id":"","device":"","read_only":false,"size":0,"partition":0}',
  'incusos.system.v1.ResourcesUSB': '{"devices":[],"total":0}',
  'incusos.system.v1.ResourcesUSBDevice':
    '{"bus_address":0,"device_address":0,"serial":"","interfaces":[],"vendor":"","vendor_id":"","product":"","product_id":"","speed":0}',
  'incusos.system.v1.ResourcesUSBDeviceInterface':
    '{"class":"","class_id":0,"driver":"","driver_version":"","number":0,"subclass":"","subclass_id":0}',
  'incusos.system.v1.ResourcesPCI': '{"devices":[],"total":0}',
  'incusos.system.v1.ResourcesPCIDevice':
    '{"driver":"","driver_version":"","numa_node":0,"pci_address":"","vendor":"","vendor_id":"","product":"","product_id":"","iommu_group":0,"vpd":{}}',
  'incusos.system.v1.ResourcesPCIVPD': '{}',
  'incusos.system.v1.ResourcesSystem':
    '{"uuid":"","vendor":"","product":"","family":"","version":"","sku":"","serial":"","type":"","firmware":{"vendor":"","date":"","version":""},"chassis":{"vendor":"","type":"","serial":"","version":""},"motherboard":{"vendor":"","product":"","serial":"","version":""}}',
  'incusos.system.v1.ResourcesSystemFirmware': '{"vendor":"","date":"","version":""}',
  'incusos.system.v1.ResourcesSystemChassis': '{"vendor":"","type":"","serial":"","version":""}',
  'incusos.system.v1.ResourcesSystemMotherboard': '{"vendor":"","product":"","serial":"","version":""}',
  'incusos.system.v1.ResourcesLoad': '{"Average1Min":0,"Average5Min":0,"Average10Min":0,"Processes":0}',
  'incusos.system.v1.ResourcesSerial': '{"devices":[],"total":0}',
  'incusos.system.v1.ResourcesSerialDevice':
    '{"id":"","device":"","device_id":"","device_path":"","driver":"","vendor":"","vendor_id":"","product":"","product_id":""}',
  'incusos.system.v1.ServerRoot':
    '{"environment":{"hostname":"","machine_id":"","os_name":"","os_version":"","os_version_next":"","system_is_ready":false,"uptime":0}}',
  'incusos.system.v1.Environment':
    '{"hostname":"","machine_id":"","os_name":"","os_version":"","os_version_next":"","system_is_ready":false,"uptime":0}',
  'incusos.applications.v1.BackupRequest': '{"name":"","complete":false}',
  'incusos.applications.v1.InstallApplicationRequest': '{"name":""}',
  'incusos.applications.v1.SwitchVersionRequest': '{"name":"","version":""}',
  'incusos.security.v1.GenerateRegistrationRequest': '{"token":""}',
  'incusos.security.v1.SetConfigRequest': '{"config":{"encryption_recovery_keys":null}}',
  'incusos.storage.v1.CreateVolumeRequest': '{"pool":"","name":"","quota":0,"use":""}',
  'incusos.storage.v1.DeletePoolRequest': '{"name":""}',
  'incusos.storage.v1.DeleteVolumeRequest': '{"pool":"","name":"","force":false}',
  'incusos.storage.v1.EncryptDriveRequest': '{"id":"","secure_wipe":false}',
  'incusos.storage.v1.ImportEncryptedDriveRequest': '{"id":"","key":""}',
  'incusos.storage.v1.ImportPoolRequest': '{"name":"","type":"","encryption_key":"","force":false}',
  'incusos.storage.v1.ScrubPoolRequest': '{"name":""}',
  'incusos.storage.v1.SetConfigRequest': '{"config":{"scrub_schedule":"","trim_schedule":""}}',
  'incusos.storage.v1.TrimPoolRequest': '{"name":""}',
  'incusos.storage.v1.WipeDriveRequest': '{"id":"","secure_wipe":false}',
  'incusos.network.v1.SetConfigRequest': '{"config":{}}',
  'incusos.system.v1.SetKernelConfigRequest': '{"config":{}}',
  'incusos.system.v1.SetLoggingConfigRequest':
    '{"config":{"syslog":{"address":"","protocol":"","log_format":""},"journal_upload":{"url":"","tls_client_certificate":"","tls_client_key":"","tls_ca_certificate":""}}}',
  'incusos.update.v1.CheckRequest': '{"os_only":false}',
  'incusos.update.v1.ProviderServiceSetConfigRequest': '{"config":{"name":""}}',
  'incusos.update.v1.SetConfigRequest': '{"config":{"auto_reboot":false,"channel":"","check_frequency":""}}',
};
